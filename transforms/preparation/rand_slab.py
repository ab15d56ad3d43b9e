"""Training windows of a volume that several raters outlined: `RandSlabd`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.transforms import MapTransform, Randomizable


class RandSlabd(Randomizable, MapTransform):
    """A few slices of a volume, and what one rater, chosen at random, drew there.

    The slab holds a slice on which some rater drew or, sometimes, one on which nobody did; where in the slab that slice lies is
    random too, so the outline's end in z says nothing of the crop's. Slices become channels: what follows turns and shifts
    planes. Beyond the volume the last slice is repeated, and its label is not known.

    Args:
        image_key: (1, x, y, z) -> (depth, x, y).
        label_key: (raters, x, y, z), 0 and 1 -> (depth, x, y): 0 not known, 1 background, 2 the structure. Zero is what spatial
            transforms fill in, and outside the crop nothing is known.
        known_key: (1, x, y, z), 1 where there is an image; removed.
        depth: slices.
        context: probability of a slice without any outline, where there is one.
    """

    def __init__(self, image_key: str, label_key: str, known_key: str, depth: int = 1, context: float = 0.0) -> None:
        MapTransform.__init__(self, (image_key, label_key, known_key))
        self.depth = depth
        self.context = context

    def _choose(self, drawn: torch.Tensor, raters: int) -> None:
        """Args: drawn: bool (z,), slices on which some rater drew. raters: how many there are."""
        wanted = drawn if bool(drawn.all()) or self.R.random() >= self.context else ~drawn
        slices = wanted.nonzero()[:, 0].tolist()
        self.first = slices[self.R.randint(len(slices))] - self.R.randint(self.depth)
        self.rater = self.R.randint(raters)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: one volume. Returns: the same with a slab in its place; plain tensors, float32."""
        image_key, label_key, known_key = self.keys
        out = {key: value for key, value in data.items() if key != known_key}
        image, label, known = (torch.as_tensor(data[key]).as_subclass(torch.Tensor) for key in self.keys)
        self._choose((label > 0).flatten(0, 2).any(dim=0), len(label))
        slices = torch.arange(self.first, self.first + self.depth)
        held = slices.clamp(0, image.shape[-1] - 1)
        certain = known[0][..., held].bool() & (slices == held)
        out[image_key] = image[0][..., held].movedim(-1, 0).float()
        out[label_key] = ((1 + label[self.rater][..., held]) * certain).movedim(-1, 0).float()
        return out


class SlabToVolumed(MapTransform):
    """From slices as channels to a volume of one channel, slices last; labels lose their offset.

    Args:
        image_key, label_key: (depth, x, y) -> (1, x, y, depth). Labels 0, 1, 2 become -1, not known, 0 and 1.
    """

    def __init__(self, image_key: str, label_key: str) -> None:
        super().__init__((image_key, label_key))

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: one slab. Returns: the same as a volume; plain tensors."""
        image_key, label_key = self.keys
        image, label = (torch.as_tensor(data[key]).as_subclass(torch.Tensor).movedim(0, -1)[None] for key in self.keys)
        return {**data, image_key: image, label_key: label - 1}
