"""The whole image is darker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .corruption import IntensityCorruption


class Intensity(IntensityCorruption):
    """Every value times 1 - strength. A control for volumes without an intensity scale; under-exposure for pictures."""

    unit = "share of the intensity lost"

    def change(self, voxels: np.ndarray, spacing: Sequence[float], strength: float, random: np.random.RandomState) -> np.ndarray:
        """See `IntensityCorruption`."""
        return voxels * (1.0 - strength)
