"""The image itself, so that a result can be looked at where the input is not at hand, or is one that no viewer opens."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..drawing.display import display_intensity
from ..files.arrays import affine_of, array_of, is_picture
from ..files.nifti_maps import write_nifti
from .writer import Writer

WHOLE = (np.uint8, np.int16)
"""Of the types that every viewer reads, those that take less room than float32."""
FASTEST = 1
"""Compression: it is noise, of which a higher level makes little less in much more time."""


class ImageWriter(Writer):
    """`image` as it was read, on its own grid: NIfTI with the values themselves, PNG of 8 bits for pictures.

    A picture of whole values from 0 to 255 keeps them; of any other what the report shows is written, from its 0.5th to its
    99.5th percentile.
    """

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: `input`, (channels, *spatial). Writes image.png, or image.nii.gz with several channels last."""
        values = array_of(study, "input")
        if is_picture(study):
            Image.fromarray(eight_bits(values)).save(folder / "image.png", format="PNG", compress_level=3)
            return
        volume = values[0] if len(values) == 1 else np.moveaxis(values, 0, -1)
        write_nifti(folder / "image.nii.gz", smallest(volume), affine_of(study), FASTEST)

    @classmethod
    def example(cls) -> ImageWriter:
        """See `Writer.example`."""
        return cls()


def smallest(values: np.ndarray) -> np.ndarray:
    """The same values in the smallest type of `WHOLE` that holds each of them, else float32."""
    for kind in WHOLE:
        bounds = np.iinfo(kind)
        if values.min() >= bounds.min and values.max() <= bounds.max and np.array_equal(values, np.trunc(values)):
            return values.astype(kind)
    return values.astype(np.float32)


def eight_bits(values: np.ndarray) -> np.ndarray:
    """A picture's pixels. Args: values: (channels, rows, columns). Returns: uint8 (rows, columns[, 3])."""
    if len(values) in (1, 3) and smallest(values).dtype == np.uint8:
        pixels = values[0] if len(values) == 1 else np.moveaxis(values, 0, -1)
        return np.ascontiguousarray(pixels, dtype=np.uint8)
    return (display_intensity(values) * 255).round().astype(np.uint8)
