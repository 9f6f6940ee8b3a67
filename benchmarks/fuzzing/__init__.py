"""Inputs as attacks on the model server: what it answers, and what it costs."""
