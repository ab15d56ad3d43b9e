"""Draws: what one is, what makes its random numbers, and what a network must be to make them."""
