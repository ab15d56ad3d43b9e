"""Pulsation or breathing in MR: copies of the anatomy along one axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .corruption import IntensityCorruption


class Ghosting(IntensityCorruption):
    """Every second to fourth line of k-space is weaker by this share, the middle line excepted. MONAI has none. For MR."""

    unit = "share of the signal lost in the lines affected"

    def change(self, voxels: np.ndarray, spacing: Sequence[float], strength: float, random: np.random.RandomState) -> np.ndarray:
        """See `IntensityCorruption`. The smallest value counts as no signal."""
        axis, period = 1 + random.randint(voxels.ndim - 1), random.randint(2, 5)
        lines = np.ones(voxels.shape[axis])
        lines[period - 1 :: period] -= strength  # the line of frequency 0 comes first: the image keeps its mean
        spectrum = np.fft.fft(voxels - voxels.min(), axis=axis)
        weights = lines.reshape([-1 if other == axis else 1 for other in range(voxels.ndim)])
        return np.abs(np.fft.ifft(spectrum * weights, axis=axis)) + voxels.min()
