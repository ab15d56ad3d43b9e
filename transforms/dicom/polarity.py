"""Which way is bright: the one place where a radiograph is turned from negative to positive."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset

from .header_values import numbers, text
from .modality_lut import falls
from .pixel_layout import PixelLayout

INVERTED = "MONOCHROME1"
SHAPES = {"MONOCHROME1": "INVERSE", "MONOCHROME2": "IDENTITY"}
"""The presentation LUT shape that belongs to each."""


def high_is_bright(stored: np.ndarray, header: Dataset, layout: PixelLayout) -> np.ndarray:
    """Stored values of a radiograph as MONOCHROME2 has them: turned round within the range that can be stored.

    Args:
        stored: (rows, columns) whole numbers.

    Source: DICOM PS3.3, C.7.6.3.1.2: the lowest value is white.
    """
    if text(header, "PhotometricInterpretation") != INVERTED:
        return stored
    return layout.lowest + layout.highest - stored.astype(np.int64)


def contradicts(header: Dataset, layout: PixelLayout) -> bool:
    """Whether anything that viewers apply says the other thing than the photometric interpretation.

    That is the presentation LUT's shape, or what falls: a table of values of interest or of presentation, a window of negative
    width.
    """
    shape = text(header, "PresentationLUTShape")
    if shape in SHAPES.values() and shape != SHAPES[text(header, "PhotometricInterpretation")]:
        return True
    tables = [*(header.get("VOILUTSequence") or ()), *(header.get("PresentationLUTSequence") or ())]
    return any(falls(table, layout) for table in tables) or any(width < 0 for width in numbers(header, "WindowWidth"))
