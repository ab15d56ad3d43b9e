"""Noise of the electronics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from monai.transforms import RandGaussianNoise

from .corruption import IntensityCorruption, intensity_range


class GaussianNoise(IntensityCorruption):
    """Independent in each element and channel, alike everywhere. MONAI's `RandGaussianNoise`."""

    unit = "standard deviation, share of the intensity range"

    def change(self, voxels: np.ndarray, spacing: Sequence[float], strength: float, random: np.random.RandomState) -> np.ndarray:
        """See `IntensityCorruption`."""
        noise = RandGaussianNoise(prob=1.0, std=strength * intensity_range(voxels), sample_std=False)
        noise.set_random_state(state=random)
        return np.asarray(noise(voxels))
