"""Where the voxels of a made-up series lie, and what is in them: an ellipsoid of known volume, four markers at known places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
FLIPPED = (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
OBLIQUE = (0.81915204, 0.57357644, 0.0, -0.53898556, 0.76975113, -0.34202014)
"""Turned by 35 degrees about z, then tipped by 20 degrees; rounded to eight decimals, as a scanner writes it."""

SEMI_AXES = (8.5 / 28.8, 10 / 38.4, 17.6 / 50)
"""Of the ellipsoid, as parts of the volume's extent: 8.5, 10 and 17.6 mm on the grid by default, 6266 mm3."""
MARKERS = ((4, 5, 2), (27, 4, 6), (5, 26, 13), (26, 27, 17))
"""Columns, rows and slices of the markers, for a grid of 32 x 32 x 20; scaled to others."""
MARKER_VALUES = (1000, 1200, 1400, 1600)
BODY = 400
THRESHOLD = 200


@dataclass(frozen=True)
class Grid:
    """Where the voxels of a series lie.

    Args:
        shape: columns, rows, slices.
        spacing_mm: between columns, between rows, between slices.
        orientation: row and column direction cosines (LPS), as in the header. Slices are counted along their cross product.
        centre_mm: of the volume, LPS.
        offsets_mm: of the slices along the normal, where they are not evenly spaced.
        tilt_degrees: of a gantry: slices lie shifted along the columns, in proportion to their offset.
    """

    shape: tuple[int, int, int] = (32, 32, 20)
    spacing_mm: tuple[float, float, float] = (0.9, 1.2, 2.5)
    orientation: tuple[float, ...] = AXIAL
    centre_mm: tuple[float, float, float] = (-11.0, 7.0, 35.0)
    offsets_mm: tuple[float, ...] | None = None
    tilt_degrees: float = 0.0

    @property
    def directions(self) -> np.ndarray:
        """Unit vectors along a row, along a column, and of the slices' normal. Returns: (3, 3), one a column, LPS."""
        along_row, along_column = np.reshape(self.orientation, (2, 3))
        return np.stack([along_row, along_column, np.cross(along_row, along_column)], axis=1)

    @property
    def offsets(self) -> np.ndarray:
        """Of the slices from the centre along the normal. Returns: (slices,), mm."""
        if self.offsets_mm is not None:
            return np.asarray(self.offsets_mm, dtype=float)
        return (np.arange(self.shape[2]) - (self.shape[2] - 1) / 2) * self.spacing_mm[2]

    @property
    def shifts(self) -> np.ndarray:
        """Of the slices along the columns, by the gantry's tilt. Returns: (slices,), mm."""
        return self.offsets * np.tan(np.deg2rad(self.tilt_degrees))

    def positions(self) -> np.ndarray:
        """Centres of the first pixels. Returns: (slices, 3), mm, LPS."""
        corner = [-(size - 1) / 2 * spacing for size, spacing in zip(self.shape[:2], self.spacing_mm[:2], strict=True)]
        inside = np.stack([np.full_like(self.offsets, corner[0]), corner[1] + self.shifts, self.offsets], axis=1)
        return np.asarray(self.centre_mm) + inside @ self.directions.T

    @property
    def affine(self) -> np.ndarray:
        """Voxel index (column, row, slice) to mm, RAS; of an evenly spaced grid. Returns: (4, 4)."""
        positions, affine = self.positions(), np.eye(4)
        affine[:3, :2] = self.directions[:, :2] * self.spacing_mm[:2]
        affine[:3, 2] = (positions[-1] - positions[0]) / max(len(positions) - 1, 1)
        affine[:3, 3] = positions[0]
        return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine

    @property
    def marker_indices(self) -> np.ndarray:
        """Columns, rows and slices of the markers. Returns: (4, 3)."""
        return np.rint(np.array(MARKERS) * (np.array(self.shape) - 1) / (31, 31, 19)).astype(int)

    @property
    def markers_mm(self) -> np.ndarray:
        """Where the markers lie. Returns: (4, 3), RAS."""
        column, row, index = self.marker_indices.T
        inside = np.stack([column * self.spacing_mm[0], row * self.spacing_mm[1]], axis=1) @ self.directions[:, :2].T
        return (self.positions()[index] + inside) * (-1, -1, 1)

    @property
    def volume_mm3(self) -> float:
        """Of the ellipsoid, by formula."""
        semi_axes = np.array(SEMI_AXES) * self.shape * self.spacing_mm
        return float(4 / 3 * np.pi * semi_axes.prod())


def phantom(grid: Grid) -> np.ndarray:
    """The volume, sampled where its slices lie; no two slices are equal. Returns: (columns, rows, slices) int, 0 to 1600."""
    column, row, index = np.ogrid[tuple(slice(0, size) for size in grid.shape)]
    extent = np.array(grid.shape) * grid.spacing_mm
    places = (
        (column - (grid.shape[0] - 1) / 2) * grid.spacing_mm[0],
        (row - (grid.shape[1] - 1) / 2) * grid.spacing_mm[1] + grid.shifts,
        grid.offsets,
    )
    distance = sum((place / (part * size)) ** 2 for place, part, size in zip(places, SEMI_AXES, extent, strict=True))
    values = (7 * column + 13 * row + 29 * index) % 61 + np.where(distance < 1, BODY, 0)
    values[tuple(grid.marker_indices.T)] = MARKER_VALUES
    return values


def measured_volume_mm3(voxels: np.ndarray, affine: np.ndarray) -> float:
    """Of the bright ellipsoid, by counting. Args: voxels: (..., x, y, z); affine: (4, 4)."""
    count = int(((voxels > THRESHOLD) & (voxels < MARKER_VALUES[0] - 100)).sum())
    return count * abs(float(np.linalg.det(affine[:3, :3])))


def measured_markers_mm(voxels: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Where the markers are found. Args: voxels: (x, y, z); affine: (4, 4). Returns: (4, 3), NaN for one that is not there."""
    found = [np.argwhere(np.abs(voxels - value) < 5) for value in MARKER_VALUES]
    centres = np.array([where.mean(axis=0) if len(where) else np.full(3, np.nan) for where in found])
    return centres @ affine[:3, :3].T + affine[:3, 3]
