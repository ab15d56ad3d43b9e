"""Samplers: one way to turn a window into draws a file."""
