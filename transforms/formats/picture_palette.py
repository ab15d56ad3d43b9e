"""Colours of palette pictures; of TIFF from its own map, of whose 16 bits Pillow drops 8."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from caveat.reasons import StudyRefused

COLOUR_MAP = 320
"""Tag of TIFF."""


def colours_of(image: Image.Image) -> np.ndarray:
    """The colours of a palette picture, every bit of them.

    Args:
        image: in Pillow's mode P.

    Returns:
        (rows, columns, 3), or 1 where all are greys; one more, alpha, where a palette has transparent entries.

    Raises:
        StudyRefused: CORRUPT, where a pixel's colour is not in the palette, which Pillow shows black.

    Source: PNG, 11.2.2 (PLTE): an index out of range is an error.
    """
    indices, palette = np.asarray(image), image.palette
    entries = len(palette.palette) // len(palette.mode) if palette else 0
    if indices.max() >= entries:
        raise StudyRefused("CORRUPT", f"a pixel of colour {indices.max()}, counted from 0, where there are {entries}")
    if isinstance(image, TiffImageFile):
        colours = _colours_of_map(image.tag_v2[COLOUR_MAP])[indices]
    else:
        colours = np.asarray(image.convert("RGBA" if "transparency" in image.info else "RGB"))
    grey = (colours[..., 0] == colours[..., 1]).all() and (colours[..., 0] == colours[..., 2]).all()
    return np.concatenate([colours[..., :1], colours[..., 3:]], axis=-1) if grey else colours


def _colours_of_map(stored: Sequence[int]) -> np.ndarray:
    """A TIFF's colour map: the 8 bits that most writers have, which they put into the higher byte or into both; else all 16.

    Args:
        stored: all reds, then all greens, then all blues.

    Returns:
        (entries, 3) uint16.
    """
    colours = np.reshape(np.asarray(stored, dtype=np.uint16), (3, -1)).T
    high, low = colours >> 8, colours & 255
    eight_bits = (high == low).all() or not low.any()
    return high if eight_bits else colours
