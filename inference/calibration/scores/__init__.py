"""Conformity scores: how far a truth lies from what was predicted, and back; one a file."""
