"""Targets: one quantity of a study, and how it is measured, a file."""
