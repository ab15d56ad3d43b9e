"""Fewer, larger elements, shown on the grid of before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from .corruption import IntensityCorruption


class Resolution(IntensityCorruption):
    """Averaged over elements so large and interpolated back; an axis whose elements are as large already stays.

    MONAI's `RandSimulateLowResolution` has one factor for all axes, whatever their spacing.
    """

    unit = "length, size of an element"
    uses_spacing = True

    def change(self, voxels: np.ndarray, spacing: Sequence[float], strength: float, random: np.random.RandomState) -> np.ndarray:
        """See `IntensityCorruption`."""
        shape = voxels.shape[1:]
        coarse = [max(1, round(size * min(1.0, step / strength))) if strength else size for size, step in zip(shape, spacing)]
        averaged = functional.interpolate(torch.from_numpy(voxels[None].copy()), size=coarse, mode="area")
        return functional.interpolate(averaged, size=shape, mode={2: "bilinear", 3: "trilinear"}[len(shape)])[0].numpy()
