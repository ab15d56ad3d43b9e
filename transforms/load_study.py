"""The one way a study enters: `LoadStudyd`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform

from .readers.picture import read_picture


class LoadStudyd(MapTransform):
    """Read a study, refuse what cannot be read correctly."""

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace each path by a float32 MetaTensor (channels, *spatial)."""
        out = dict(data)
        for key in self.key_iterator(out):
            array = read_picture(Path(out[key]))
            out[key] = MetaTensor(torch.as_tensor(array.astype("float32")))
        return out
