"""The image is out of focus, or smoothed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from .corruption import IntensityCorruption


class Blur(IntensityCorruption):
    """Gaussian, equally wide in every direction whatever the spacing.

    scipy's filter, since MONAI's `GaussianSmooth` takes what lies beyond the border for zero, which darkens the rim of a crop.
    """

    unit = "length, standard deviation"
    uses_spacing = True

    def change(self, voxels: np.ndarray, spacing: Sequence[float], strength: float, random: np.random.RandomState) -> np.ndarray:
        """See `IntensityCorruption`."""
        return ndimage.gaussian_filter(voxels, (0, *(strength / np.asarray(spacing))), mode="nearest")
