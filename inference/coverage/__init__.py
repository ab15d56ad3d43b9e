"""Whether stored predictions and records keep their promise: coverage, size, gate, re-splits, plots."""
