"""The anatomy has another shape: a smooth random deformation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from ..corruption import SpatialCorruption


class Elastic(SpatialCorruption):
    """Each element is displaced by `strength` (root mean square per axis), alike within a sixth of the shorter side.

    Own code, since MONAI's `Rand3DElastic` scales the noise before it is smoothed: how far anything moves would depend on the
    smoothing, and have no unit.
    """

    unit = "length"
    smoothness = 1 / 6

    def positions(
        self, shape: Sequence[int], spacing: Sequence[float], strength: float, random: np.random.RandomState
    ) -> np.ndarray:
        """See `SpatialCorruption`."""
        length = self.smoothness * min(np.multiply(shape, spacing))
        index = np.indices(shape, dtype=np.float64)
        for axis, step in enumerate(spacing):
            field = ndimage.gaussian_filter(random.normal(size=shape), length / np.asarray(spacing), mode="reflect")
            index[axis] += (field - field.mean()) * (strength / step / field.std())  # no shift of the whole
        return index
