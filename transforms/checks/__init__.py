"""Checks: what refuses an input before it is measured."""
