"""Training images degraded as those of `caveat stress` are: `RandCorruptiond`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Randomizable

from ..corruptions.corruption import IntensityCorruption, LabelledImage, all_corruptions


class RandCorruptiond(Randomizable, MapTransform):
    """With a probability, one corruption at a strength drawn evenly from a range; labels stay, since nothing moves.

    Args:
        keys: MetaTensors (channels, *spatial) whose affine tells the size of an element.
        corruption: name of an `IntensityCorruption` of `transforms/corruptions/`.
        strengths: lowest and highest, in the corruption's own unit.
        prob: of degrading at all.

    Raises:
        ValueError: there is no such corruption, or it moves the anatomy.
    """

    def __init__(self, keys: KeysCollection, corruption: str, strengths: Sequence[float], prob: float = 0.1) -> None:
        MapTransform.__init__(self, keys)
        found = all_corruptions().get(corruption)
        if not isinstance(found, IntensityCorruption):
            raise ValueError(f"{corruption!r} is no corruption that leaves the anatomy in its place")
        self.corruption, self.prob = found, prob
        self.lowest, self.highest = strengths

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: one study. Returns: the same; images float32."""
        out = dict(data)
        if self.R.random() < self.prob:
            strength = self.R.uniform(self.lowest, self.highest)
            for key in self.key_iterator(out):
                out[key] = self._degrade(out[key], strength)
        return out

    def _degrade(self, image: MetaTensor, strength: float) -> MetaTensor:
        spacing = tuple(float(size) for size in image.pixdim)
        whole = LabelledImage(image.numpy(), (), spacing, np.asarray(image.affine))
        return MetaTensor(self.corruption(whole, strength, self.R).voxels, meta=image.meta)
