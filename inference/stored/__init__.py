"""What was stored of a study, and what is true of it."""
