"""Brier score against several raters, each of whom is right."""

from __future__ import annotations

import numpy as np

from .calibration_error import brier


def brier_of_raters(predicted: np.ndarray, observed: np.ndarray) -> dict[str, float]:
    """Mean over raters and elements of (predicted - marked)^2, and its two parts.

    Args:
        predicted: (n,), probability of the class, or its frequency in the draws. N draws add p (1 - p) / N to the score.
        observed: (n,), share of raters that marked the class.

    Returns:
        "total"; "distance", mean of (predicted - observed)^2; and "disagreement", mean of observed (1 - observed), which no
        prediction can avoid. The first is the sum of the others. NaN without elements.

    Source: Brier 1950, in the form for one class; the mean over raters split as a variance about their share.
    """
    distance = brier(predicted, observed)
    disagreement = float(np.mean(observed * (1 - observed))) if observed.size else float("nan")
    return {"total": distance + disagreement, "distance": distance, "disagreement": disagreement}
