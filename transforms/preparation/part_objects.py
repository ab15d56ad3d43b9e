"""From numbered objects to a mask in which those that touch are parted: `PartObjectsd`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from torch.nn import functional as F


class PartObjectsd(MapTransform):
    """1 inside an object, 0 outside and on both sides of the line along which two objects touch: a line 2 pixels wide.

    What a network learns from it are gaps between objects that touch, without a class of their own.

    Args:
        keys: of label maps (1, x, y), 0 outside, every object its own number.
    """

    identity = "caveat.PartObjectsd/1"

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with the labels. Returns: the same with masks, float32."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = part_objects(out[key])
        return out


def part_objects(labels: torch.Tensor) -> torch.Tensor:
    """Args: labels: (1, x, y). Returns: float32, same shape and kind."""
    numbers = labels.float()
    inside = numbers > 0
    largest = F.max_pool2d(numbers, 3, stride=1, padding=1)  # of an element and its neighbours
    smallest = -F.max_pool2d(torch.where(inside, -numbers, -torch.inf), 3, stride=1, padding=1)
    return (inside & (largest == numbers) & (smallest == numbers)).float()
