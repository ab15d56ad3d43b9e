"""Whether slices are evenly spaced, and which are missing where they are not."""

from __future__ import annotations

import numpy as np

from caveat.reasons import StudyRefused

ROUNDING_MM = 0.1
"""Positions are often rounded so, in each coordinate: a step along a slanted normal may be wrong by more."""
RELATIVE_TOLERANCE = 0.05
LARGEST_RELATIVE_TOLERANCE = 0.5
FEW_GAPS = 0.25
"""Of the steps. Where more are too long, the spacing changes and no slice is missing."""


def rounding_along(normal: np.ndarray) -> float:
    """How far a step between two rounded positions may be off along a direction, and a little more, mm.

    Args:
        normal: (3,), of length 1.
    """
    return ROUNDING_MM * float(np.abs(normal).sum()) + ROUNDING_MM / 10


def planes_of(offsets: np.ndarray, allow_gaps: bool = False, rounding_mm: float = 1.1 * ROUNDING_MM) -> np.ndarray:
    """Which plane of an evenly spaced volume each slice is.

    Accepted where every step, and every slice's place, is that of the fitted line within
    min(max(rounding, 5 % of the distance), 50 % of the distance).

    Args:
        offsets: (n,) mm along the normal, ascending, no two the same; n >= 2.
        allow_gaps: number the slices around missing ones instead of refusing.
        rounding_mm: of `rounding_along` the slices' normal; 0.11 mm along an axis.

    Returns:
        (n,) int, from 0; consecutive unless there are gaps.

    Raises:
        StudyRefused: SLICE_GAP, VARIABLE_SPACING.
    """
    count = len(offsets)
    planes = np.arange(count)
    if _is_even(offsets, planes, rounding_mm):
        return planes
    steps = np.diff(offsets)
    planes = _numbered_with_gaps(offsets)
    gaps = int((np.diff(planes) > 1).sum())
    few = gaps <= max(1, FEW_GAPS * len(steps)) and planes[-1] < 2 * count
    if not (few and (np.diff(planes) > 0).all() and _is_even(offsets, planes, rounding_mm)):
        raise StudyRefused("VARIABLE_SPACING", f"{steps.min():.3g} to {steps.max():.3g} mm between {count} slices")
    if not allow_gaps:
        missing = int(planes[-1]) + 1 - count
        raise StudyRefused("SLICE_GAP", f"{missing} missing in {gaps} places, {count} are there, {np.median(steps):.3g} mm apart")
    return planes


def fitted_step(places: np.ndarray, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least squares of places on plane numbers.

    Args:
        places: (n,) or (n, axes).
        planes: (n,).

    Returns:
        Place of plane 0, and step from plane to plane.
    """
    centred = planes - planes.mean()
    step = centred @ (places - places.mean(axis=0)) / (centred @ centred)
    return places.mean(axis=0) - planes.mean() * step, step


def _is_even(offsets: np.ndarray, planes: np.ndarray, rounding_mm: float) -> bool:
    start, step = fitted_step(offsets, planes)
    tolerance = min(max(rounding_mm, RELATIVE_TOLERANCE * step), LARGEST_RELATIVE_TOLERANCE * step)
    off_line = np.abs(offsets - (start + planes * step)).max()
    off_step = np.abs(np.diff(offsets) - np.diff(planes) * step).max()
    return bool(max(off_line, off_step) <= tolerance)


def _numbered_with_gaps(offsets: np.ndarray) -> np.ndarray:
    """Plane numbers by the typical step, then by the step that fits them: rounded positions misjudge it at first."""
    steps = np.diff(offsets)
    typical = np.sort(steps)[(len(steps) - 1) // 2]
    planes = np.concatenate([[0], np.cumsum(np.rint(steps / typical))]).astype(int)
    for _ in range(2):
        start, step = fitted_step(offsets, planes)
        planes = np.rint((offsets - start) / step).astype(int)
        planes -= planes[0]
    return planes
