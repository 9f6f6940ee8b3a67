"""Requests with their answers in the server's own log, where SageMaker captures nothing."""
