"""Backbones: plain deterministic networks cut into encode and decode."""
