"""Deterministic parts of samplers, computed by another engine than torch."""
