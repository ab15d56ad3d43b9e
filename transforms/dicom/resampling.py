"""Volumes whose slices do not fill a right-angled grid, and volumes on another one's grid."""

from __future__ import annotations

import itertools

import numpy as np
from scipy import ndimage

from caveat.reasons import StudyRefused

from ..checks.limits import refuse_large_volume
from ..image.study_image import StudyImage

SAME_GRID_MM = 1e-4
"""Of the affines' entries: 0.05 mm over 500 voxels."""


def fill_gaps(values: np.ndarray, planes: np.ndarray) -> np.ndarray:
    """Interpolate missing planes linearly between their neighbours.

    Args:
        values: (columns, rows, n).
        planes: (n,) int, which plane each is, ascending from 0.

    Returns:
        (columns, rows, planes[-1] + 1) float32.

    Raises:
        StudyRefused: TOO_LARGE.
    """
    shape = (*values.shape[:2], int(planes[-1]) + 1)
    refuse_large_volume(shape, 4)
    filled = np.empty(shape, dtype=np.float32)
    filled[..., planes] = values
    for index in np.flatnonzero(np.diff(planes) > 1):
        first, last = planes[index], planes[index + 1]
        for plane in range(first + 1, last):
            weight = np.float32((plane - first) / (last - first))
            filled[..., plane] = (1 - weight) * values[..., index] + weight * values[..., index + 1]
    return filled


def straighten(values: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shift every slice of a leaning stack sideways onto a right-angled grid that holds them all.

    Interpolated linearly within each slice, never between slices. What no slice covers has the smallest value.

    Args:
        values: (columns, rows, planes) float32.
        affine: (4, 4), whose third column leans.

    Returns:
        The same on the larger grid, and its affine.

    Raises:
        StudyRefused: TOO_LARGE.
    """
    in_plane, step = affine[:3, :2], affine[:3, 2]
    shift = np.linalg.lstsq(in_plane, step, rcond=None)[0]  # pixels a plane
    ends = shift * (values.shape[2] - 1)
    first = np.floor(np.minimum(ends, 0)).astype(int)
    added = np.ceil(np.maximum(ends, 0)).astype(int) - first
    shape = (values.shape[0] + added[0], values.shape[1] + added[1], values.shape[2])
    refuse_large_volume([int(length) for length in shape], 4)
    smallest = values.min()
    straight = np.empty(shape, dtype=np.float32)
    slab = np.empty(shape[:2], dtype=np.float32)
    for plane in range(shape[2]):
        slab[...] = smallest
        slab[: values.shape[0], : values.shape[1]] = values[..., plane]
        ndimage.shift(slab, plane * shift - first, output=straight[..., plane], order=1, mode="constant", cval=smallest)
    upright = affine.copy()
    upright[:3, 2] = step - in_plane @ shift
    upright[:3, 3] = affine[:3, 3] + in_plane @ first
    return straight, upright


def on_grid_of(fixed: StudyImage, moving: StudyImage) -> tuple[np.ndarray, tuple[str, ...]]:
    """One volume on another's grid, interpolated linearly.

    Args:
        fixed, moving: (1, x, y, z) voxels each, in one space.

    Returns:
        Voxels (1, x, y, z) of `moving` on the grid of `fixed`, and flags. What `moving` does not cover has its smallest value.

    Raises:
        StudyRefused: PARTIAL_COVERAGE, where nothing is covered.
    """
    shape = fixed.voxels.shape[1:]
    if shape == moving.voxels.shape[1:] and np.allclose(fixed.affine, moving.affine, rtol=0, atol=SAME_GRID_MM):
        return moving.voxels, ()
    index = np.linalg.inv(moving.affine) @ fixed.affine
    voxels = ndimage.affine_transform(moving.voxels[0], index[:3, :3], index[:3, 3], output_shape=shape, order=1, mode="nearest")
    covered = _covered(index, shape, moving.voxels.shape[1:])
    if covered is None:
        return voxels[None], ("RESAMPLED_TO_FIRST",)
    if not covered.any():
        raise StudyRefused("PARTIAL_COVERAGE", "the second series covers nothing of the first")
    voxels[~covered] = moving.voxels.min()
    return voxels[None], ("RESAMPLED_TO_FIRST", "PARTIAL_COVERAGE")


def _covered(index: np.ndarray, shape: tuple[int, ...], limits: tuple[int, ...]) -> np.ndarray | None:
    """Where a grid lies within another one's voxels; None where it does everywhere, which its corners tell."""
    corners = np.array([[*corner, 1] for corner in itertools.product(*[(0, length - 1) for length in shape])]) @ index.T
    upper = np.array(limits) - 0.5
    if (corners[:, :3] >= -0.5).all() and (corners[:, :3] <= upper).all():
        return None
    places = np.ogrid[tuple(slice(0, length) for length in shape)]
    covered = np.ones(shape, dtype=bool)
    for row, limit in zip(index[:3], upper, strict=True):
        along = sum((row[axis] * places[axis] for axis in range(3)), start=row[3])
        covered &= (along >= -0.5) & (along <= limit)
    return covered
