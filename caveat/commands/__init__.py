"""One subcommand a file; heavy imports stand inside the functions."""
