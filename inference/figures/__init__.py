"""Figures of one study and one truth, named in a bundle's evaluate.yaml."""
