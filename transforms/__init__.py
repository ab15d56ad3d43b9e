"""Files into tensors, and results into files."""
