"""Landmarks that raters placed."""
