"""One slice of a volume, drawn for training: `RandSliced`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, Randomizable


class RandSliced(Randomizable, MapTransform):
    """Draw one slice: with probability `share` one that holds something of the structure, else one that holds nothing.

    Within either kind every slice is as likely as any other, so a structure's first and last slices, and the caps of a head,
    are seen as often as its middle; a draw around a random voxel prefers slices with many. Where one kind is missing, the other
    is drawn.

    Args:
        keys: (channels, x, y, slices) -> (channels, x, y), all of one slice.
        label_key: of these, the mask that says what a slice holds: anything above 0.
        share: probability of a slice with the structure.
    """

    def __init__(self, keys: KeysCollection, label_key: Hashable, share: float) -> None:
        super().__init__(keys)
        self.label_key = label_key
        self.share = share

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with the volumes. Returns: the same with one slice of each."""
        out = dict(data)
        holds = (out[self.label_key] > 0).flatten(0, 2).any(0)
        wanted = bool(self.R.random() < self.share)
        among = torch.nonzero(holds == wanted).flatten()
        among = among if len(among) else torch.arange(len(holds))
        drawn = int(among[self.R.randint(len(among))])
        for key in self.key_iterator(out):
            out[key] = out[key][..., drawn]
        return out
