"""Light that is scattered on its way through a body."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from .corruption import IntensityCorruption, intensity_range

LOGARITHM = 3.0
"""Natural logarithms of the light between the ends of the intensity range: a limb weakens it twentyfold."""
SPREAD = 0.1
"""Standard deviation of where scattered light arrives, as a share of the shortest side: 25 mm of 250."""


class Scatter(IntensityCorruption):
    """A wide haze over a radiograph whose intensity is the logarithm of the light, bone bright.

    It is added to the light itself, so that dense parts lose their contrast first.
    """

    unit = "scattered light, share of what arrives unscattered"

    def change(self, voxels: np.ndarray, spacing: Sequence[float], strength: float, random: np.random.RandomState) -> np.ndarray:
        """See `IntensityCorruption`."""
        floor, scale = np.percentile(voxels, 1), intensity_range(voxels) / LOGARITHM
        if not scale:
            return voxels
        light = np.exp((floor - voxels) / scale)
        haze = np.stack([ndimage.gaussian_filter(channel, SPREAD * min(channel.shape)) for channel in light])
        return floor - scale * np.log(light + strength * haze)
