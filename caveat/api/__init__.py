"""caveat from Python: what `caveat.load` and its kind hand out."""
