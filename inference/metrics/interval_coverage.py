"""How many intervals should hold the truth, and how surely a check would notice that too few do.

Given n calibration scores and their k-th smallest as the quantile, the coverage is itself random, Beta(k, n + 1 - k) over
calibration sets: the number covered of m further units is beta-binomial, not binomial. Ties among scores only add coverage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy.stats import betabinom, binom


@dataclass(frozen=True)
class CheckedPart:
    """Studies whose intervals come from the same quantile.

    Args:
        studies: m, how many are checked.
        rank: k, spacings between the n + 1 exchangeable scores that lie inside the interval. For one score its rank; for two
            one-sided scores of the same error, of rank r each, 2 r - n - 1.
        n: calibration scores.
    """

    studies: int
    rank: int
    n: int


def count_probabilities(parts: Sequence[CheckedPart]) -> np.ndarray:
    """Probability of each number of covered studies, if the promise is kept.

    Args:
        parts: one where a record is not divided into classes; their counts are independent and add up.

    Returns:
        float (m + 1,), m the studies of all parts.

    Source: Vovk 2012 (coverage given the calibration set); Marques F. 2025 (the beta-binomial of further units).
    """
    each = [betabinom.pmf(np.arange(part.studies + 1), part.studies, part.rank, part.n + 1 - part.rank) for part in parts]
    return reduce(np.convolve, each, np.ones(1))


def coverage_band(parts: Sequence[CheckedPart], confidence: float = 0.95, claims: int = 1) -> tuple[int, int]:
    """The numbers of covered studies that are no reason to doubt the promise.

    Args:
        parts: see `count_probabilities`.
        confidence: with which all claims stay in their bands, if all keep their promise.
        claims: checked together (levels times measurements), by Bonferroni.

    Returns:
        fewest and most covered: each side is left with a probability of at most (1 - confidence) / claims / 2.
    """
    below = np.cumsum(count_probabilities(parts))
    tail = (1 - confidence) / claims / 2
    last = len(below) - 1
    return int(np.searchsorted(below, tail, side="right")), min(int(np.searchsorted(below, 1 - tail)), last)


def power(studies: int, fewest: int, true_coverage: float) -> float:
    """Probability that the check notices: that fewer studies are covered than the band allows.

    Args:
        studies: m. fewest: lower end of the band.
        true_coverage: share of all studies that these intervals, of this calibration set, really hold.

    Returns:
        0 to 1, binomial.
    """
    return float(binom.cdf(fewest - 1, studies, true_coverage))
