"""Metrics: pure functions with sources."""
