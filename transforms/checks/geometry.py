"""Checks of an affine: only a right-angled grid of plausible size is measured."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from caveat.reasons import StudyRefused

SMALLEST_SPACING_MM = 0.01
LARGEST_SPACING_MM = 20.0
LARGEST_SHEAR_DEGREES = 0.1
LARGEST_CORNER_DIFFERENCE_MM = 0.5
SMALLEST_RELATIVE_DETERMINANT = 1e-6
SAME_SPACING = 1e-3
"""Relative, of one image written in two ways."""


def spacing_of(affine: np.ndarray) -> tuple[float, ...]:
    """mm per axis: lengths of the columns. Args: affine: (4, 4)."""
    with np.errstate(over="ignore"):  # then infinite, and refused
        return tuple(float(length) for length in np.linalg.norm(affine[:3, :3], axis=0))


def refuse_bad_affine(affine: np.ndarray) -> None:
    """Accept an affine that maps a right-angled grid of voxels to mm.

    Args:
        affine: (4, 4), mm.

    Raises:
        StudyRefused: BAD_AFFINE, SINGULAR_AFFINE, SHEARED_AFFINE, IMPLAUSIBLE_SPACING.
    """
    if not np.isfinite(affine).all():
        raise StudyRefused("BAD_AFFINE", "not finite")
    spacing = spacing_of(affine)
    if min(spacing) == 0:
        raise StudyRefused("SINGULAR_AFFINE", "an axis has no length")
    if not np.isfinite(spacing).all():
        raise StudyRefused("IMPLAUSIBLE_SPACING", "no finite length")
    directions = affine[:3, :3] / spacing
    if abs(np.linalg.det(directions)) < SMALLEST_RELATIVE_DETERMINANT:
        raise StudyRefused("SINGULAR_AFFINE", "the axes lie in one plane")
    cosines = directions.T @ directions - np.eye(3)
    shear = math.degrees(math.asin(min(float(np.abs(cosines).max()), 1.0)))
    if shear > LARGEST_SHEAR_DEGREES:
        raise StudyRefused("SHEARED_AFFINE", f"axes are {shear:.2f} degrees off a right angle")
    if min(spacing) < SMALLEST_SPACING_MM or max(spacing) > LARGEST_SPACING_MM:
        raise StudyRefused("IMPLAUSIBLE_SPACING", " x ".join(f"{length:.3g}" for length in spacing) + " mm")


def refuse_spacing(spacing_mm: Sequence[float], smallest_mm: float, largest_mm: float) -> None:
    """Accept an image whose spacing is among those that are measured. Raises: StudyRefused: SPACING_NOT_MEASURED."""
    if any(not smallest_mm <= length <= largest_mm for length in spacing_mm):
        found = " x ".join(f"{length:.3g}" for length in spacing_mm)
        raise StudyRefused("SPACING_NOT_MEASURED", f"{found} mm, where {smallest_mm:g} to {largest_mm:g} mm are measured")


def refuse_conflict(first: np.ndarray, second: np.ndarray, shape: Sequence[int]) -> bool:
    """Accept two affines that put the image's corners in the same places, or that are one rigid motion apart.

    No length, area or volume depends on a rigid motion, as registration writes it into one of the two. A mirror is none.

    Args:
        first, second: (4, 4), mm.
        shape: voxels per axis.

    Returns:
        Whether they are a motion apart.

    Raises:
        StudyRefused: AFFINE_CONFLICT, BAD_AFFINE.
    """
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise StudyRefused("BAD_AFFINE", "not finite")
    corners = np.array([[*corner, 1] for corner in itertools.product(*[(-0.5, size - 0.5) for size in shape])])
    with np.errstate(over="ignore", invalid="ignore"):  # then not a number, and refused
        difference = float(np.linalg.norm(corners @ (first - second).T, axis=1).max())
        if difference <= LARGEST_CORNER_DIFFERENCE_MM:
            return False
        if not _is_motion(first, second, corners):
            raise StudyRefused("AFFINE_CONFLICT", f"corners differ by {difference:.3g} mm")
    return True


def _is_motion(first: np.ndarray, second: np.ndarray, corners: np.ndarray) -> bool:
    """Whether the corners of one image lie as those of the other do, but for a rigid motion.

    Source: Kabsch, Acta Cryst. A 32:922, 1976.
    """
    places = [corners @ affine[:3].T for affine in (first, second)]
    if not all(np.isfinite(place).all() for place in places):
        return False
    if not np.allclose(spacing_of(first), spacing_of(second), rtol=SAME_SPACING, atol=0):
        return False
    one, other = (place - place.mean(axis=0) for place in places)
    left, _, right = np.linalg.svd(one.T @ other)
    turn = left @ np.diag([1, 1, np.linalg.det(left @ right)]) @ right  # the best rotation, never a mirror
    return bool(np.linalg.norm(one @ turn - other, axis=1).max() <= LARGEST_CORNER_DIFFERENCE_MM)
