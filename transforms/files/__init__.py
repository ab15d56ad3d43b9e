"""Tables, maps and results as bytes of a file, whole or not at all."""
