"""From the image as it was read to what the network sees."""
