"""The middle tones are darker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from monai.transforms import AdjustContrast

from .corruption import IntensityCorruption


class Contrast(IntensityCorruption):
    """Intensities between smallest and largest to the power 2 ** strength, which no linear normalisation undoes.

    MONAI's `AdjustContrast`.
    """

    unit = "doublings of gamma"

    def change(self, voxels: np.ndarray, spacing: Sequence[float], strength: float, random: np.random.RandomState) -> np.ndarray:
        """See `IntensityCorruption`."""
        return np.asarray(AdjustContrast(2.0**strength)(voxels))
