"""Do two numbers rise together?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import spearmanr


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Spearman's rank correlation, ties at their mean rank.

    Args:
        first, second: (n,) each.

    Returns:
        -1 to 1; NaN for fewer than three pairs, where one is constant (a width that is the same for all), or for a NaN.

    Source: Spearman 1904.
    """
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(spearmanr(first, second).statistic)
