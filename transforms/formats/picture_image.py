"""What was read of a picture, on a grid of pixels: of no size, or of the size that is stated beside it."""

from __future__ import annotations

import numpy as np

from ..checks.whole_numbers import are_rounded
from ..image.stated_spacing import refuse_unsquare, stated_spacing
from ..image.study_image import Stated, StudyImage


def picture_image(pixels: np.ndarray, stated: Stated, height_to_width: float | None = None) -> StudyImage:
    """Resolution tags never give mm: they are a print's. But they may say that pixels are not square.

    Args:
        pixels: (rows, columns, channels), upright.
        stated: what the user or a data list states.
        height_to_width: of one pixel, as the file states it; None where it does not.

    Raises:
        StudyRefused: STATED_SPACING_MISMATCH, IMPLAUSIBLE_SPACING, NON_SQUARE_PIXELS.
    """
    affine, spacing = np.eye(4), None
    if stated.spacing_mm:
        spacing = stated_spacing(stated.spacing_mm, dimensions=2)
        affine[[0, 1], [0, 1]] = spacing
    if height_to_width is not None:
        refuse_unsquare(height_to_width, spacing or (1.0, 1.0))
    stored = np.moveaxis(pixels, -1, 0)
    voxels = np.ascontiguousarray(stored, dtype=np.float32)
    return StudyImage(
        voxels=voxels,
        affine=affine,
        original_affine=np.eye(4),
        spacing_mm=spacing,
        spacing_source=stated.spacing_source if spacing else "",
        flags=("NO_PIXEL_SPACING",) * (spacing is None) + ("VALUES_ROUNDED",) * are_rounded(stored, voxels),
    )
