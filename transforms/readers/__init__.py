"""Readers: one input format a file, each refuses or reads correctly."""
