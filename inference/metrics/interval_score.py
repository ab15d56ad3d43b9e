"""Interval score: narrow is good, missing the truth is worse the farther away it lies."""

from __future__ import annotations

import numpy as np


def interval_score(lower: np.ndarray, upper: np.ndarray, truth: np.ndarray, level: float) -> np.ndarray:
    """(u - l) + 2 / a (l - y)+ + 2 / a (y - u)+, a = 1 - level.

    Args:
        lower, upper, truth: one shape, one unit.
        level: of the interval, in (0, 1).

    Returns:
        in that unit, smaller is better; proper for the two quantiles. Infinite for an infinite interval.

    Source: Winkler 1972; Gneiting and Raftery 2007, equation 43.
    """
    lower, upper, truth = (np.asarray(values, dtype=float) for values in (lower, upper, truth))
    penalty = 2 / (1 - level)
    return upper - lower + penalty * np.maximum(lower - truth, 0) + penalty * np.maximum(truth - upper, 0)
