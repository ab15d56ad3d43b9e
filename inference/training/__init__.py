"""Training a bundle's network with MONAI's engines."""
