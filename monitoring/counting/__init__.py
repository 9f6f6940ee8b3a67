"""Counts and sums that add up."""
