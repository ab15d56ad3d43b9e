"""Landmarks of a rater, tied to the image they were placed in: `LoadPointsd`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import ensure_tuple_rep

from .points_table import read_points, refuse_other_axes


class LoadPointsd(MapTransform):
    """Read a table of landmarks (see `read_points`) onto the grid of an image as it was loaded.

    Each path becomes a MetaTensor float64 (1, landmarks, axes) of grid positions whose affine is that image's. MONAI's
    `ApplyTransformToPointsd` then brings them onto the grid of any image that came from it by transforms that an affine can
    say: resizing, padding, `RandAffined`; and its inverse brings them back. A grid distortion has no affine: points would stay
    where they were.

    Args:
        keys: of the paths.
        refer_keys: images whose grids the tables are given on, one for all or one a key.
        rater: whose landmarks.
        names: of the landmarks, in the order of the network's channels.
        allow_missing_keys: skip keys that an entry does not have.

    Raises:
        StudyRefused: NO_TRUTH, POINTS_INCOMPLETE.
    """

    def __init__(
        self,
        keys: KeysCollection,
        refer_keys: KeysCollection,
        rater: str,
        names: Sequence[str],
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.refer_keys = ensure_tuple_rep(refer_keys, len(self.keys))
        self.rater = rater
        self.names = tuple(names)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with a path under each key. Returns: the same with MetaTensors."""
        out = dict(data)
        for key, refer_key in self.key_iterator(out, self.refer_keys):
            points = read_points(Path(out[key]), self.rater, self.names)
            refuse_other_axes(points, data[refer_key].ndim - 1)
            out[key] = MetaTensor(torch.from_numpy(points)[None], affine=data[refer_key].affine)
        return out
