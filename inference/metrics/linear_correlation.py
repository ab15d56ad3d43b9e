"""Do two numbers rise together in proportion?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import pearsonr


def pearson(first: Sequence[float], second: Sequence[float]) -> float:
    """Pearson's correlation.

    Args:
        first, second: (n,) each.

    Returns:
        -1 to 1; NaN for fewer than three pairs, where one is constant, or for a NaN.

    Source: Pearson 1895.
    """
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(pearsonr(first, second).statistic)
