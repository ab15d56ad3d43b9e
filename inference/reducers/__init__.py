"""Reducers: one statistic of the draws a file."""
