"""Writers: one output file a file."""
