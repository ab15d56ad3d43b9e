"""Thirds of some values, smallest to largest."""

from __future__ import annotations

import numpy as np

TERCILES = ("lowest", "middle", "highest")


def terciles(values: np.ndarray) -> np.ndarray:
    """Tercile of each value, equal values together.

    Args:
        values: (n,).

    Returns:
        int (n,), 0 to 2: by the two thirds' quantiles; all in 0 where the values are constant.
    """
    return np.searchsorted(np.quantile(values, [1 / 3, 2 / 3]), values, side="left") if values.size else np.zeros(0, int)
