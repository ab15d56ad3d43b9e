"""Calibration error of probabilities, binned in two ways, and the Brier score.

Every function takes (confidence, correct). Per class: the probability of the class, and whether the truth is that class.
Top label: see `top_label`. The region is chosen by the caller and belongs into the figure's name. Binned errors are biased
upwards, the more so the fewer elements: compare them at equal n (Nixon et al. 2019).
"""

from __future__ import annotations

import numpy as np


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error, equal-width bins: sum over bins of n_b / n |mean correct - mean confidence|.

    Args:
        confidence: (n,), 0 to 1.
        correct: (n,), bool, or 0 to 1 as the share of raters.
        bins: number of bins on (0, 1], closed on the right; 0 itself belongs to the first.

    Returns:
        0 to 1; NaN without elements.

    Source: Naeini et al. 2015; Guo et al. 2017, equation 3.
    """
    edges = np.linspace(0, 1, bins + 1)[1:-1]
    return binned_error(confidence, correct, np.digitize(confidence, edges, right=True), bins)


def adaptive_calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = 15) -> float:
    """Adaptive calibration error, equal-mass bins: as the expected one, with bins of n / bins elements by rank.

    Equal confidences stay together, in the bin where the first of them falls.

    Args and returns: as `expected_calibration_error`.

    Source: Nixon et al. 2019, adaptive binning (not "average calibration error", which shares its abbreviation).
    """
    _, group, sizes = np.unique(confidence, return_inverse=True, return_counts=True)
    first_rank = np.cumsum(sizes) - sizes
    return binned_error(confidence, correct, (first_rank * bins // max(confidence.size, 1))[group], bins)


def binned_error(confidence: np.ndarray, correct: np.ndarray, bin_of: np.ndarray, bins: int) -> float:
    """Mean over elements of their bin's |mean correct - mean confidence|. Args: (n,) each. Returns: 0 to 1; NaN if empty."""
    if not confidence.size:
        return float("nan")
    gap = np.asarray(correct, dtype=float) - np.asarray(confidence, dtype=float)
    return float(np.abs(np.bincount(bin_of, weights=gap, minlength=bins)).sum() / confidence.size)


def brier(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Binary Brier score, mean of (confidence - correct)^2. Args: (n,) each. Returns: 0 to 1; NaN without elements.

    Source: Brier 1950, in the form for one class; the sum over two classes is twice this.
    """
    if not confidence.size:
        return float("nan")
    return float(np.mean((np.asarray(confidence, dtype=float) - np.asarray(correct, dtype=float)) ** 2))


def top_label(probability: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Confidence in the more probable of two classes, and whether it is right.

    Args:
        probability: (n,), of the class that `truth` marks.
        truth: (n,), bool.

    Returns:
        confidence (n,), 0.5 to 1; correct (n,), bool.
    """
    chosen = probability > 0.5  # as the arg-max, a tie goes to the lower class
    return np.where(chosen, probability, 1 - probability), chosen == truth
