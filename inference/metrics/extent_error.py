"""Error of a measured extent (area, volume, count) against the truth's."""

from __future__ import annotations


def extent_error(measured: float, truth: float) -> dict[str, float]:
    """Signed and absolute error, as a share of the truth.

    The mean of the signed errors over studies is the bias.

    Args:
        measured, truth: one unit.

    Returns:
        "signed", "absolute": shares, 0.1 for 10 %; NaN where the truth is zero.
    """
    signed = (measured - truth) / truth if truth else float("nan")
    return {"signed": signed, "absolute": abs(signed)}
