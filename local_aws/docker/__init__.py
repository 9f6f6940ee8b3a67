"""The `docker` command of builds on this machine: it snapshots what a Dockerfile copies, and runs none of its RUNs."""
