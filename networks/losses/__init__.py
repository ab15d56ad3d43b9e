"""Losses that train samplers."""
