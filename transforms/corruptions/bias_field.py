"""The coil, or the light, is brighter on one side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from monai.transforms import RandBiasField

from .corruption import IntensityCorruption


class BiasField(IntensityCorruption):
    """A smooth factor from 1 / (1 + strength) to 1 + strength: a polynomial of degree 3 by MONAI's `RandBiasField`.

    Its coefficients say little about how uneven the image becomes, so the field is scaled to the range stated.
    """

    unit = "largest factor less 1"

    def change(self, voxels: np.ndarray, spacing: Sequence[float], strength: float, random: np.random.RandomState) -> np.ndarray:
        """See `IntensityCorruption`."""
        bias = RandBiasField(degree=3, coeff_range=(-1.0, 1.0), prob=1.0)
        bias.set_random_state(state=random)
        log_field = np.log(np.asarray(bias(np.ones((1, *voxels.shape[1:]), dtype=np.float32))))
        low, high = log_field.min(), log_field.max()
        unit_field = 2 * (log_field - low) / (high - low) - 1
        floor = min(0.0, float(voxels.min()))  # air in CT is below zero: the factor is on the signal above it
        return (voxels - floor) * np.exp(unit_field * np.log1p(strength)) + floor
