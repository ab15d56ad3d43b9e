"""Less is in the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .corruption import Corruption, LabelledImage


class Crop(Corruption):
    """So large a share of every axis is cut away, split between its two ends at random.

    What lies outside is in no label; a point there keeps its place, beyond the border.
    """

    unit = "share of every axis"

    def __call__(self, image: LabelledImage, strength: float, random: np.random.RandomState) -> LabelledImage:
        """See `Corruption`."""
        cut = np.rint(np.multiply(image.shape, min(strength, 1.0))).astype(int)
        cut = np.minimum(cut, np.asarray(image.shape) - 1)
        first = np.array([random.randint(size + 1) for size in cut])
        box = tuple(slice(start, start + size) for start, size in zip(first, np.asarray(image.shape) - cut, strict=True))
        affine = image.affine.copy()
        affine[:3, 3] += image.affine[:3, : len(first)] @ first
        labels = tuple(label[box].copy() for label in image.labels)
        voxels = image.voxels[(slice(None), *box)].copy()
        return replace(image, voxels=voxels, labels=labels, affine=affine, points=image.points - first)
