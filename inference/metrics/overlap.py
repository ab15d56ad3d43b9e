"""Overlap of two masks inside a region."""

from __future__ import annotations

import numpy as np


def dice(prediction: np.ndarray, truth: np.ndarray, region: np.ndarray) -> float:
    """Dice coefficient 2 |P and T| / (|P| + |T|), both masks inside the region.

    Args:
        prediction, truth, region: bool, one shape.

    Returns:
        0 to 1; 1 where both masks are empty.

    Source: Dice 1945.
    """
    both, either = (prediction & truth & region).sum(), (prediction & region).sum() + (truth & region).sum()
    return float(2 * both / either) if either else 1.0


def sensitivity(prediction: np.ndarray, truth: np.ndarray, region: np.ndarray) -> float:
    """Share of the truth that the prediction covers. Args: bool, one shape. Returns: 0 to 1; NaN without truth in the region."""
    return share(prediction, truth & region)


def specificity(prediction: np.ndarray, truth: np.ndarray, region: np.ndarray) -> float:
    """Share of the region outside the truth that is left free. Args: bool, one shape. Returns: 0 to 1; NaN if there is none."""
    return share(~prediction, ~truth & region)


def share(mask: np.ndarray, of: np.ndarray) -> float:
    """Share of the elements of `of` that lie in `mask`. Args: bool, one shape. Returns: 0 to 1; NaN where `of` is empty."""
    return float(mask[of].mean()) if of.any() else float("nan")
