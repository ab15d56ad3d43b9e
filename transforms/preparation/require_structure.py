"""Only pictures that show something go on: `RequireStructured`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.transforms import MapTransform
from scipy.ndimage import gaussian_filter

from caveat.reasons import StudyRefused

ENDS = (1.0, 99.8)
"""Percentiles between which the range of a picture is measured."""


class RequireStructured(MapTransform):
    """Refuse a picture of grain alone: stretched to its full range it would look like one of many specks.

    What is larger than the grain outlives smoothing, in its own range; of independent noise a sigma of 2 pixels leaves a seventh.

    Args:
        keys: of pictures (1, rows, columns).
        sigma: of the smoothing, in pixels.
        least: share of its range that a picture keeps.

    Raises:
        StudyRefused: NOT_THIS_KIND.
    """

    identity = "caveat.RequireStructured/1"

    def __init__(self, keys: KeysCollection, sigma: float, least: float) -> None:
        super().__init__(keys)
        self.sigma = sigma
        self.least = least

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with the pictures. Returns: the same."""
        for key in self.key_iterator(dict(data)):
            picture = np.asarray(data[key], dtype=np.float32)[0]
            smooth, own = (np.diff(np.percentile(one, ENDS))[0] for one in (gaussian_filter(picture, self.sigma), picture))
            if not smooth >= self.least * own:
                raise StudyRefused(
                    "NOT_THIS_KIND",
                    f"grain: over {self.sigma:g} pixels smoothed it keeps {smooth / own:.2f} of its range",
                )
        return dict(data)
