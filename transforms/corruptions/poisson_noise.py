"""Noise of counted photons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .corruption import IntensityCorruption, intensity_range


class PoissonNoise(IntensityCorruption):
    """The brighter, the noisier, as the root of the count. MONAI has none."""

    unit = "standard deviation at the top of the intensity range, share of it"

    def change(self, voxels: np.ndarray, spacing: Sequence[float], strength: float, random: np.random.RandomState) -> np.ndarray:
        """See `IntensityCorruption`. The smallest value counts as no photon."""
        if not strength:
            return voxels
        floor, per_photon = voxels.min(), intensity_range(voxels) * strength**2
        return random.poisson((voxels - floor) / per_photon) * per_photon + floor
