"""Grey values by the percentiles of a region."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform


class ScaleInRegiond(MapTransform):
    """Map two percentiles of a region to 0 and 1, clip a little beyond them, and set what lies outside to 0.

    Args:
        keys: images, (channels, rows, columns).
        region_key: mask, (1, rows, columns), 0 and 1.
        percentiles: that become 0 and 1.
        clip: lowest and highest value afterwards.
    """

    identity = "caveat.ScaleInRegiond/1"

    def __init__(
        self,
        keys: KeysCollection,
        region_key: str,
        percentiles: tuple[float, float] = (1.0, 99.5),
        clip: tuple[float, float] = (-0.1, 1.2),
    ) -> None:
        super().__init__(keys)
        self.region_key = region_key
        self.percentiles = tuple(percentiles)
        self.clip = (clip[0], clip[1])

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with MetaTensor image and mask. Returns: the same with the image scaled, float32; a flat region is 0."""
        out = dict(data)
        region = np.asarray(out[self.region_key]) > 0.5
        for key in self.key_iterator(out):
            image = np.asarray(out[key], dtype=np.float64)
            low, high = np.percentile(image[np.broadcast_to(region, image.shape)], self.percentiles)
            scaled = np.clip((image - low) / ((high - low) or 1.0), *self.clip) * region
            meta, operations = out[key].meta, out[key].applied_operations
            out[key] = MetaTensor(torch.as_tensor(scaled.astype(np.float32)), meta=meta, applied_operations=operations)
        return out
