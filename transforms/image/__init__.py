"""An image as it was read, whatever file it came from."""
