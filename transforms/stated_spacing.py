"""The spacing that a user states for images that carry none."""

from __future__ import annotations

from collections.abc import Sequence

from caveat.reasons import StudyRefused

from .checks.geometry import LARGEST_SPACING_MM


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
