"""Whether stored predictions and records keep their promise: coverage, width, gate, re-splits, plots."""
