"""Does the model vary where the raters do? Normalised cross-correlation of two maps of variance."""

from __future__ import annotations

import numpy as np

FLOOR = 1e-8
"""Added to probabilities before the logarithm, as in the source: draws that are sure cost at most 18.4 nats where wrong."""
CONSTANT = 1e-12
"""A map whose standard deviation is smaller is constant up to rounding."""


def rater_ncc(probability: np.ndarray, raters: np.ndarray) -> float:
    """Mean over raters of the correlation of two maps: the draws' cross-entropy with their mean, and with the rater.

    Args:
        probability: (N, C, *spatial), of every draw, background first, summing to 1 over the C classes. Of draws that are
            masks: `one_hot`.
        raters: (M, *spatial), bool or integer labels below C.

    Returns:
        -1 to 1. NaN where a map is constant, so that the score is undefined: count these.

    Raises:
        ValueError: the shapes do not fit, or a label is none of the classes.

    Source: Baumgartner et al. 2019 (PHiSeg), S_NCC; population standard deviations.
    """
    count = probability.shape[1]
    if probability.shape[2:] != raters.shape[1:] or raters.dtype.kind not in "bui":
        raise ValueError(f"probability {probability.shape}; raters {raters.shape}, {raters.dtype}: labels on its grid expected")
    if not raters.size or raters.min() < 0 or raters.max() >= count:
        raise ValueError(f"labels from 0 to {count - 1} expected")
    surprise = -np.log(probability + FLOOR).mean(axis=0)  # (C, *spatial): mean over draws, were the class the truth
    own = (probability.mean(axis=0) * surprise).sum(axis=0)
    theirs = np.take_along_axis(surprise, raters.astype(np.intp), axis=0)  # (M, *spatial)
    return float(np.mean([_correlation(own, one) for one in theirs]))


def one_hot(draws: np.ndarray, count: int) -> np.ndarray:
    """Masks as probabilities of 0 and 1. Args: (N, *spatial), labels below `count`. Returns: (N, count, *spatial), float64."""
    return np.stack([draws == label for label in range(count)], axis=1).astype(float)


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's correlation of two maps. Returns: NaN where one is constant."""
    if min(first.std(), second.std()) < CONSTANT:
        return float("nan")
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])
