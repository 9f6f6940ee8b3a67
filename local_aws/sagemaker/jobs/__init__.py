"""Training, processing and transform jobs: programs that run once."""
