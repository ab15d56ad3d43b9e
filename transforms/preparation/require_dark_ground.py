"""Only bright objects on dark ground go on: `RequireDarkGroundd`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.transforms import MapTransform

from caveat.reasons import StudyRefused


class RequireDarkGroundd(MapTransform):
    """Refuse a picture most of which is bright: inverted, in transmitted light, or of tissue without ground.

    Args:
        keys: of pictures (1, rows, columns), stretched to 0 to 1.
        largest_quartile: the first, that is measured: nuclei may fill most of a picture, hardly three quarters.

    Raises:
        StudyRefused: NOT_THIS_KIND.
    """

    identity = "caveat.RequireDarkGroundd/1"

    def __init__(self, keys: KeysCollection, largest_quartile: float) -> None:
        super().__init__(keys)
        self.largest_quartile = largest_quartile

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with the pictures. Returns: the same."""
        for key in self.key_iterator(dict(data)):
            quartile = float(np.quantile(data[key], 0.25))
            if quartile > self.largest_quartile:
                raise StudyRefused(
                    "NOT_THIS_KIND", f"three quarters of the picture are brighter than {quartile:.2f} of its range"
                )
        return dict(data)
