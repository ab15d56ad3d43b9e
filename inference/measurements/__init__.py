"""Measurements: one quantity with a unit a file."""
