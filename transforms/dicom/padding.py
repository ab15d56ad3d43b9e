"""Pixels that a scanner marks as lying outside of what it imaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from caveat.reasons import StudyRefused

from .header_values import text
from .pixel_layout import LOSSLESS, PixelLayout
from .stored_values import within_bits


@dataclass(frozen=True)
class Padding:
    """Args: lowest, highest: values that mark a pixel, before rescale; of its container where those stored cannot be such."""

    lowest: int
    highest: int

    def marks(self, pixels: np.ndarray, layout: PixelLayout) -> np.ndarray:
        """Args: pixels: any shape, of their containers. Returns: bool."""
        inside = layout.lowest <= self.lowest and self.highest <= layout.highest
        found = within_bits(pixels, layout) if inside else pixels
        return (found >= self.lowest) & (found <= self.highest)


def padding_of(header: Dataset, layout: PixelLayout) -> Padding | None:
    """By PixelPaddingValue, up to PixelPaddingRangeLimit where there is one; None where nothing is marked, or no longer exactly.

    A value written with the other sign than the pixels' own is taken for the same bits. One that the bits stored cannot hold is
    looked for in the whole container, where scanners write it.

    Source: DICOM PS3.3, C.7.5.1.1.2.
    """
    ends = [header.get(keyword) for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    found = [_with_sign(end, layout) for end in ends if isinstance(end, int)]
    if not isinstance(ends[0], int) or _is_lossy(header, layout):
        return None
    return Padding(min(found), max(found))


def is_padding_blurred(header: Dataset, layout: PixelLayout) -> bool:
    """Whether pixels were marked before a lossy compression, after which they hold anything about the mark."""
    return isinstance(header.get("PixelPaddingValue"), int) and _is_lossy(header, layout)


def fill_padding(voxels: np.ndarray) -> bool:
    """Give padded voxels the smallest value of the others.

    They stand for what was not imaged, around the body: the darkest value there is (air in CT) keeps them out of intensity
    statistics' upper end and draws no edge brighter than the image's own, which the padding value itself may do.

    Args:
        voxels: (slices, rows, columns) float32, NaN where padded; changed in place.

    Returns:
        Whether any were.

    Raises:
        StudyRefused: CONSTANT_IMAGE, where all were.
    """
    smallest = np.fmin.reduce(voxels, axis=None)
    if np.isnan(smallest):
        raise StudyRefused("CONSTANT_IMAGE", "all pixels are padding")
    found = False
    for plane in voxels:
        padded = np.isnan(plane)
        plane[padded] = smallest
        found |= bool(padded.any())
    return found


def _is_lossy(header: Dataset, layout: PixelLayout) -> bool:
    """Whether the pixels were ever compressed with loss, also where they no longer are compressed."""
    return layout.syntax not in LOSSLESS or text(header, "LossyImageCompression") in ("01", "1")


def _with_sign(value: int, layout: PixelLayout) -> int:
    if layout.lowest <= value <= layout.highest:
        return value
    wrapped = value & (2**layout.bits_allocated - 1)
    return wrapped - 2**layout.bits_allocated if layout.signed and wrapped >= 2 ** (layout.bits_allocated - 1) else wrapped
