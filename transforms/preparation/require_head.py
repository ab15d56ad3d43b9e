"""Only MR of a whole head goes on: `RequireHeadd`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from caveat.reasons import StudyRefused

LARGEST_NEGATIVE_SHARE = 0.02
"""Of the voxels: magnitudes are not negative, but for what resampling rings; Hounsfield units of air are."""


class RequireHeadd(MapTransform):
    """Refuse what is no magnitude image of a whole head; let the rest pass as it is.

    Args:
        keys: (1, x, y, slices) MetaTensors.
        fewest_slices: of a head.
        smallest_mm, largest_mm: that the field of view may have along x, y and across the slices, where the spacing is known.

    Raises:
        StudyRefused: NOT_THIS_KIND for values that no magnitude has, FIELD_OF_VIEW_MISMATCH.
    """

    identity = "caveat.RequireHeadd/1"

    def __init__(
        self, keys: KeysCollection, fewest_slices: int, smallest_mm: Sequence[float], largest_mm: Sequence[float]
    ) -> None:
        super().__init__(keys)
        self.fewest_slices = fewest_slices
        self.smallest_mm = tuple(smallest_mm)
        self.largest_mm = tuple(largest_mm)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with the volumes. Returns: the same."""
        for key in self.key_iterator(dict(data)):
            self._check(data[key])
        return dict(data)

    def _check(self, volume: MetaTensor) -> None:
        negative = float((volume.as_tensor() < 0).float().mean())
        if negative > LARGEST_NEGATIVE_SHARE:
            raise StudyRefused("NOT_THIS_KIND", f"{100 * negative:.0f} % of the values are negative, magnitudes are not")
        if volume.shape[-1] < self.fewest_slices:
            raise StudyRefused("FIELD_OF_VIEW_MISMATCH", f"{volume.shape[-1]} slices, at least {self.fewest_slices} are measured")
        if not volume.meta.get("spacing_source"):
            return
        extent = np.array(volume.shape[1:]) * volume.pixdim.numpy()
        if (extent < self.smallest_mm).any() or (extent > self.largest_mm).any():
            limits = f"{_times(self.smallest_mm)} to {_times(self.largest_mm)} mm are measured"
            raise StudyRefused("FIELD_OF_VIEW_MISMATCH", f"{_times(extent)} mm, where {limits}")


def _times(numbers: Sequence[float]) -> str:
    return " x ".join(f"{number:.4g}" for number in numbers)
