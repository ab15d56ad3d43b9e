"""Backbones, and samplers that turn a window into draws."""
