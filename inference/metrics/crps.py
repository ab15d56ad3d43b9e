"""Continuous ranked probability score of a number's draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def crps(draws: Sequence[float], truth: float, fair: bool = False) -> float:
    """Mean |x_k - y| less half the mean |x_k - x_l|.

    Args:
        draws: K values. truth: one unit.
        fair: mean over the K (K - 1) pairs of different draws, which does not reward many draws: to compare different K.
            Else over all K^2 pairs: the score of the draws' own distribution.

    Returns:
        in that unit, smaller is better; |x - y| for one draw, where the fair form is NaN.

    Source: Gneiting and Raftery 2007, equation 21; Ferro 2014 (fair).
    """
    values = np.asarray(draws, dtype=float)
    pairs = len(values) * (len(values) - 1) if fair else len(values) ** 2
    if not pairs:
        return float("nan")
    between = np.abs(values[:, None] - values[None]).sum() / pairs
    return float(np.abs(values - truth).mean() - between / 2)
