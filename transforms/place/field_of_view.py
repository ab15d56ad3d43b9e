"""The round field of view of a fundus photograph."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label
from skimage.morphology import disk, opening

from caveat.reasons import StudyRefused

SMALLEST_SHARE = 0.2
"""A field that fills less of the picture is not one: the largest circle in a 3:1 picture fills 0.26."""
LARGEST_DEVIATION = 0.02
"""Share of the field that may lie outside a disc clipped by the picture's edge; CHASE_DB1 and HRF stay below 0.006."""


class FindFieldOfViewd(MapTransform):
    """Add the field of view of a photograph as a mask under `region_key`.

    Args:
        keys: the photograph, (3, rows, columns), any intensity scale.
        region_key: where the mask goes, (1, rows, columns), float32 of 0 and 1.
        smallest_diameter: pixels that the longest side of the field must have: below it thin vessels are lost, and the field's
            blurred rim is taken for one.

    Raises:
        StudyRefused: NO_FIELD_OF_VIEW, LOW_RESOLUTION.
    """

    identity = "caveat.FindFieldOfViewd/1"

    def __init__(self, keys: KeysCollection, region_key: str = "region", smallest_diameter: int = 400) -> None:
        super().__init__(keys)
        self.region_key = region_key
        self.smallest_diameter = smallest_diameter

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with a MetaTensor image. Returns: the same with the mask beside it."""
        out = dict(data)
        for key in self.key_iterator(out):
            image = out[key]
            mask = find_field_of_view(np.asarray(image[0]))
            diameter = max(np.ptp(positions) + 1 for positions in np.nonzero(mask))
            if diameter < self.smallest_diameter:
                raise StudyRefused(
                    "LOW_RESOLUTION", f"a field of {diameter} pixels, at least {self.smallest_diameter} are needed"
                )
            out[self.region_key] = MetaTensor(torch.as_tensor(mask[None].astype(np.float32)), affine=image.affine)
        return out


def find_field_of_view(red: np.ndarray) -> np.ndarray:
    """The field of view as the largest bright component of the red channel, smoothed and filled.

    Tissue is bright in red whatever the exposure, so the threshold is Otsu's on the logarithm, where the dark surround
    is far away.

    Args:
        red: (rows, columns), any scale.

    Returns:
        bool (rows, columns).

    Raises:
        StudyRefused: NO_FIELD_OF_VIEW where there is no surround, or the field is no disc clipped by the picture's edge.
    """
    low, high = np.percentile(red, [0.5, 99.5])
    if high <= low:
        raise StudyRefused("NO_FIELD_OF_VIEW", "the red channel is constant")
    scaled = ndimage.gaussian_filter(np.clip((red - low) / (high - low), 0, 1), 1.0)
    logarithm = np.log(scaled + 0.02)
    components = label(opening(logarithm > threshold_otsu(logarithm), disk(3)))
    sizes = np.bincount(components.ravel())[1:]
    if not sizes.size:
        raise StudyRefused("NO_FIELD_OF_VIEW", "nothing bright in the red channel")
    field = ndimage.binary_fill_holes(components == 1 + sizes.argmax())
    if not SMALLEST_SHARE <= field.mean() < 0.995:
        raise StudyRefused("NO_FIELD_OF_VIEW", f"the bright part fills {field.mean():.0%} of the picture")
    deviation = (field != clipped_disc(field)).sum() / field.sum()
    if deviation > LARGEST_DEVIATION:
        raise StudyRefused("NO_FIELD_OF_VIEW", f"the bright part differs from a disc by {deviation:.0%} of its area")
    return field


def clipped_disc(field: np.ndarray) -> np.ndarray:
    """The disc through the borders of a field that do not lie on the picture's edge. Args and returns: bool (rows, columns).

    Source: algebraic circle fit by least squares, Kasa 1976.
    """
    inside = ndimage.binary_erosion(field, border_value=1)
    rows, columns = np.nonzero(field & ~inside)
    system = np.stack([rows, columns, np.ones_like(rows)], axis=1).astype(float)
    (a, b, c), *_ = np.linalg.lstsq(system, rows.astype(float) ** 2 + columns.astype(float) ** 2, rcond=None)
    row, column = a / 2, b / 2
    squared_radius = c + row**2 + column**2
    grid = np.ogrid[: field.shape[0], : field.shape[1]]
    return (grid[0] - row) ** 2 + (grid[1] - column) ** 2 <= squared_radius
