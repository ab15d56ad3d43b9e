"""Slopes and intercepts that make no values that anybody measures."""

from __future__ import annotations

import math

SMALLEST_SLOPE, LARGEST_SLOPE = 1e-15, 1e9
"""Of any unit that images come in: diffusion in m2/s has steps of 1e-13, activity is counted in Bq/mL."""
LARGEST_INTERCEPT = 1e12


def absurdity(slope: float, intercept: float) -> str:
    """What keeps a scaling from being meant, "" where it may be. Args: value = stored * slope + intercept; finite."""
    if not SMALLEST_SLOPE <= math.fabs(slope) <= LARGEST_SLOPE:
        return f"a slope of {slope:.3g}"
    return f"an intercept of {intercept:.3g}" if math.fabs(intercept) > LARGEST_INTERCEPT else ""
