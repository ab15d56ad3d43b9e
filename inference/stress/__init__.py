"""Stress: what becomes of a bundle's answers when its images are degraded."""
