"""Area under the receiver operating characteristic."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata


def auroc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Probability that a positive element scores above a negative one, ties counted half.

    Args:
        scores: (n,), any scale; larger means "rather positive".
        positive: (n,), bool.

    Returns:
        0 to 1; NaN where one of the two kinds is missing.

    Raises:
        ValueError: a score is NaN.

    Source: Mann-Whitney U over the number of pairs, Hanley and McNeil 1982.
    """
    if np.isnan(scores).any():
        raise ValueError("a score is NaN")
    n_positive = int(positive.sum())
    n_negative = positive.size - n_positive
    if not n_positive or not n_negative:
        return float("nan")
    u = rankdata(scores)[positive].sum() - n_positive * (n_positive + 1) / 2
    return float(u / (n_positive * n_negative))
