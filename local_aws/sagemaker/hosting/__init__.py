"""Models that answer: endpoints, their instances and their requests."""
