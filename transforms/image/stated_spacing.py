"""The spacing that a user or a data list states for images that carry none."""

from __future__ import annotations

import math
from collections.abc import Sequence

from caveat.reasons import StudyRefused

from ..checks.geometry import LARGEST_SPACING_MM

EQUAL = 1e-3
"""Relative difference of two spacings that are the same, written with different numbers of digits."""
EQUAL_ASPECT = 1e-2
"""Relative; aspect ratios are quotients of whole numbers."""


def stated_spacing(spacing_mm: Sequence[float], dimensions: int) -> tuple[float, ...]:
    """One spacing per axis.

    Args:
        spacing_mm: one number for every axis, or one for each, mm.
        dimensions: spatial axes of the image.

    Raises:
        StudyRefused: STATED_SPACING_MISMATCH; IMPLAUSIBLE_SPACING above 20 mm (a pixel under a microscope has no lower bound).
    """
    if len(spacing_mm) not in (1, dimensions):
        raise StudyRefused("STATED_SPACING_MISMATCH", f"{len(spacing_mm)} numbers for {dimensions} axes")
    spacing = tuple(float(value) for value in spacing_mm) * (dimensions if len(spacing_mm) == 1 else 1)
    if max(spacing) > LARGEST_SPACING_MM:
        raise StudyRefused("IMPLAUSIBLE_SPACING", f"{max(spacing):g} mm stated")
    return spacing


def refuse_unsquare(height_to_width: float, spacing_mm: Sequence[float] = (1.0, 1.0)) -> None:
    """An image whose pixels are not square has a shape only with a stated spacing of that shape.

    Args:
        height_to_width: of one pixel, as the file states it; perhaps no number.
        spacing_mm: between rows, between columns, as stated beside it.

    Raises:
        StudyRefused: NON_SQUARE_PIXELS.
    """
    if not math.isclose(height_to_width, spacing_mm[0] / spacing_mm[1], rel_tol=EQUAL_ASPECT):
        known = math.isfinite(height_to_width)
        found = f"{height_to_width:.3g} times their width" if known else "stated in a way that is no number"
        raise StudyRefused("NON_SQUARE_PIXELS", f"their height is {found}")


def refuse_spacing_conflict(spacing_mm: Sequence[float], stated_mm: Sequence[float]) -> None:
    """Two statements of one image's spacing must agree: nothing says which of them is wrong.

    Args:
        spacing_mm: one number for each axis.
        stated_mm: see `stated_spacing`.

    Raises:
        StudyRefused: SPACING_CONFLICT, and as `stated_spacing`.
    """
    stated = stated_spacing(stated_mm, len(spacing_mm))
    if not all(math.isclose(one, other, rel_tol=EQUAL) for one, other in zip(spacing_mm, stated, strict=True)):
        both = (" x ".join(f"{length:.4g}" for length in spacing) for spacing in (spacing_mm, stated))
        raise StudyRefused("SPACING_CONFLICT", f"{' mm and '.join(both)} mm")
