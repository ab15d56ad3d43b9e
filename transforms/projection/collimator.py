"""The part of a detector that a collimator leaves open."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def open_field(within: np.ndarray, angle_deg: float, margins: Sequence[float]) -> np.ndarray:
    """A turned rectangle inside a region of the detector.

    Args:
        within: bool (rows, columns), the region.
        angle_deg: by which the rectangle is turned.
        margins: shares of the region's height and width by which its upper, lower, left and right side stand inside.

    Returns:
        bool (rows, columns).
    """
    rows, columns = (np.flatnonzero(within.any(axis=axis)) for axis in (1, 0))
    height, width = np.ptp(rows), np.ptp(columns)
    row, column = np.ogrid[: within.shape[0], : within.shape[1]]
    row, column = row - rows.mean(), column - columns.mean()
    cosine, sine = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    down, across = row * cosine + column * sine, column * cosine - row * sine
    upper, lower, left, right = margins
    inside = (down > (upper - 0.5) * height) & (down < (0.5 - lower) * height)
    return inside & (across > (left - 0.5) * width) & (across < (0.5 - right) * width)
