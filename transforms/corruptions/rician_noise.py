"""Noise of a magnitude MR image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from monai.transforms import RandRicianNoise

from .corruption import IntensityCorruption, intensity_range


class RicianNoise(IntensityCorruption):
    """Gaussian in both parts of a complex image whose magnitude is shown: it brightens the dark. MONAI's `RandRicianNoise`."""

    unit = "standard deviation in each part, share of the intensity range"

    def change(self, voxels: np.ndarray, spacing: Sequence[float], strength: float, random: np.random.RandomState) -> np.ndarray:
        """See `IntensityCorruption`. The smallest value counts as no signal."""
        noise = RandRicianNoise(prob=1.0, std=strength * intensity_range(voxels), sample_std=False)
        noise.set_random_state(state=random)
        floor = voxels.min()
        return np.asarray(noise(voxels - floor)) + floor
