"""What kinds of answers there are, as records and sentences see them: one a file."""
