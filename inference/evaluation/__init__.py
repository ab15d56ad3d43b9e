"""How often promises are kept, and other figures from stored predictions."""
