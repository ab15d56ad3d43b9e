"""Something hides a part of the image: a signal void, a reflex, a marker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .corruption import IntensityCorruption


class Occlusion(IntensityCorruption):
    """A box of the image's proportions at a random place, as dark as the 1st percentile. What it hides stays in the labels."""

    unit = "share of the image"

    def change(self, voxels: np.ndarray, spacing: Sequence[float], strength: float, random: np.random.RandomState) -> np.ndarray:
        """See `IntensityCorruption`."""
        shape = voxels.shape[1:]
        sizes = [round(size * min(strength, 1.0) ** (1 / len(shape))) for size in shape]
        starts = [random.randint(size - hidden + 1) for size, hidden in zip(shape, sizes, strict=True)]
        box = tuple(slice(start, start + hidden) for start, hidden in zip(starts, sizes, strict=True))
        out = voxels.copy()
        out[(slice(None), *box)] = np.percentile(voxels, 1)
        return out
