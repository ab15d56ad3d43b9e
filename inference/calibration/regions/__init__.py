"""Regions: what a record says of one component of a study, one kind a file."""
