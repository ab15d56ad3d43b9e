"""The part of a radiograph that a collimator left open."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from scipy import ndimage

LEAST_FILLED = 0.95
"""Share of its turned bounding rectangle that a field fills; outlines of bodies leave more of theirs empty."""
SMALLEST_SHARE = 0.1
"""Of the image: a smaller field is not taken for one."""
LEVELS = np.linspace(0.5, 0.98, 13)
"""Shares of the image's range above which something may be the collimator's shadow."""
ANGLES_DEG = range(-6, 7)
BLACK_BORDER = 0.9
"""Share of the image's border that a display shutter blackens at least; an open beam blackens less of it."""


class FindExposedFieldd(MapTransform):
    """Add the field of a radiograph as a mask under `region_key`: all of the image where no collimator is seen.

    The mask only says where local contrast is computed; what is collimator is for the network to say.

    Args:
        keys: the radiograph, (1, rows, columns), bone bright, any intensity scale.
        region_key: where the mask goes, (1, rows, columns), float32 of 0 and 1.
    """

    identity = "caveat.FindExposedFieldd/1"

    def __init__(self, keys: KeysCollection, region_key: str = "region") -> None:
        super().__init__(keys)
        self.region_key = region_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with a MetaTensor image. Returns: the same with the mask beside it."""
        out = dict(data)
        for key in self.key_iterator(out):
            field = find_exposed_field(np.asarray(out[key][0]))
            out[self.region_key] = MetaTensor(torch.as_tensor(field[None].astype(np.float32)), affine=out[key].affine)
        return out


def find_exposed_field(image: np.ndarray) -> np.ndarray:
    """What a collimator's white shadow or a display shutter's black frame leaves of an image.

    A shadow is what is brighter than some level and reaches the image's border; the level is the one that leaves the best
    rectangle. A black frame has the image's lowest value nearly all around.

    Args:
        image: (rows, columns), bone bright.

    Returns:
        bool (rows, columns), everywhere True where neither is found.
    """
    smooth = ndimage.gaussian_filter(image.astype(float), 1.0)
    low, high = smooth.min(), smooth.max()
    whole = np.ones(image.shape, bool)
    if high <= low:
        return whole
    framed = image <= image.min()
    candidates = [_within(framed)] if _border(framed).mean() >= BLACK_BORDER else []
    candidates += [_within(smooth > low + level * (high - low)) for level in LEVELS]
    rectangles = [(filled_share(field), field) for field in candidates if SMALLEST_SHARE <= field.mean() < 1]
    share, field = max(rectangles, key=lambda pair: pair[0], default=(0.0, whole))
    return field if share >= LEAST_FILLED else whole


def filled_share(field: np.ndarray) -> float:
    """Share of the smallest bounding rectangle, turned by a few degrees at most, that a region fills."""
    row, column = np.nonzero(field)
    areas = []
    for angle in np.radians(ANGLES_DEG):
        down, across = row * np.cos(angle) + column * np.sin(angle), column * np.cos(angle) - row * np.sin(angle)
        areas.append((np.ptp(down) + 1) * (np.ptp(across) + 1))
    return float(len(row) / min(areas))


def _within(outside: np.ndarray) -> np.ndarray:
    """The largest part of what no component reaches that touches the border, its holes filled. Args: bool (rows, columns)."""
    parts, _ = ndimage.label(outside)
    inside = ~(outside & np.isin(parts, np.unique(_border(parts))))
    pieces, count = ndimage.label(inside)
    sizes = np.bincount(pieces.ravel(), minlength=2)[1:]
    return ndimage.binary_fill_holes(pieces == 1 + sizes.argmax()) if count else inside


def _border(image: np.ndarray) -> np.ndarray:
    return np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]])
