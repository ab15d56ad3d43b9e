"""A latent that stands for a reading of the whole study."""
