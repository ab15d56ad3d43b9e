"""Ways in which an image is degraded on purpose, one a file."""
