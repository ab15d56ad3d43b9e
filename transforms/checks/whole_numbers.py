"""Whole numbers that float32, in which every image is measured, cannot hold."""

from __future__ import annotations

import numpy as np

EXACT_BITS = 24
"""Of a whole number that float32 holds, from the first one set to the last."""


def are_rounded(exact: np.ndarray, kept: np.ndarray) -> bool:
    """Whether whole numbers were changed. Those with a fraction are measured, and not known as well as float32 holds them.

    Args:
        exact: of any real type.
        kept: the same in float32.
    """
    large = np.abs(kept) > 2**EXACT_BITS - 1
    if exact.dtype.itemsize < 4 or not large.any():
        return False
    exact, kept = exact[large], kept[large]
    if exact.dtype.kind == "f":
        return bool(((exact == np.rint(exact)) & (kept != exact)).any())
    without_zeros = exact // (exact & -exact)  # in whole numbers: float64 does not hold those of 64 bits
    return bool((np.abs(without_zeros) >= 2**EXACT_BITS).any())
