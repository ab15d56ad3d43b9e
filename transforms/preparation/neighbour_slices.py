"""Each slice with those beside it, as channels: `NeighbourSlicesd`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform


class NeighbourSlicesd(MapTransform):
    """What a network of slices sees of the third dimension, as channels: the slices before, the slice itself, those after.

    Beyond the volume the last slice is repeated. Whatever window of slices is looked at later, each has its true neighbours.

    Args:
        keys: (channels, x, y, slices) -> (channels * (2 reach + 1), x, y, slices).
        reach: slices on either side.
    """

    identity = "caveat.NeighbourSlicesd/1"

    def __init__(self, keys: KeysCollection, reach: int = 1) -> None:
        super().__init__(keys)
        self.reach = reach

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with the volumes. Returns: the same with more channels."""
        out = dict(data)
        for key in self.key_iterator(out):
            volume = out[key]
            slices = torch.arange(volume.shape[-1])
            offsets = range(-self.reach, self.reach + 1)
            out[key] = torch.cat([volume[..., (slices + offset).clamp(0, len(slices) - 1)] for offset in offsets])
        return out
