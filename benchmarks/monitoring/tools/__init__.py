"""What is measured: each runs in a process, and the peers in an environment, of its own."""
