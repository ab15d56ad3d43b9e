"""From a picture archive and back into it."""
