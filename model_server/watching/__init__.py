"""What the server tells of itself: log lines, CloudWatch metrics in them, and Prometheus metrics."""
