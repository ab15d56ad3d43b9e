"""A flat cut through a study, turned the way it is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from nibabel.orientations import apply_orientation, io_orientation

VOLUME_PLANES = (("sagittal", "APSI"), ("coronal", "RLSI"), ("axial", "RLAP"))
"""By the axis they are perpendicular to, with what lies left, right, above and below: the radiologists' way."""


@dataclass(frozen=True)
class Plane:
    """A picture as it is, or one slice of a volume.

    Args:
        name: "axial" and so on; empty for a picture.
        element: height and width of one element as shown, in mm or pixels.
        sides: what lies left, right, above, below; empty for a picture.
        index: number of the slice along its normal, from the patient's left, back or feet.
        normal: axis of the canonical volume it is perpendicular to; None for a picture.
        orientation: nibabel's, from the file's axes to right, front, head; None for a picture.
        canonical: size of the canonical volume.
    """

    name: str
    element: tuple[float, float]
    sides: str = ""
    index: int = 0
    normal: int | None = None
    orientation: np.ndarray | None = None
    canonical: tuple[int, ...] = ()

    def cut(self, grid: np.ndarray) -> np.ndarray:
        """Args: grid: (*spatial) or (*spatial, colours). Returns: (rows, columns) or (rows, columns, colours)."""
        if self.normal is None:
            return grid
        turned = apply_orientation(grid, self.orientation)  # a view: numpy's take would copy it whole
        flat = turned[(slice(None),) * self.normal + (self.index,)]
        return np.swapaxes(flat[::-1, ::-1], 0, 1)

    def locate(self, voxel: Sequence[int]) -> tuple[int, int]:
        """Row and column at which a voxel of the file's grid is shown."""
        if self.normal is None or self.orientation is None:
            return int(voxel[0]), int(voxel[1])
        place = canonical_index(voxel, self.orientation, self.canonical)
        across, down = (axis for axis in range(3) if axis != self.normal)
        return self.canonical[down] - 1 - place[down], self.canonical[across] - 1 - place[across]


def planes_through(voxel: Sequence[int], shape: Sequence[int], affine: np.ndarray) -> list[Plane]:
    """The ways to look at one voxel: the picture, or three slices of a volume that cross there.

    Args:
        voxel: on the file's grid.
        shape: (*spatial) of the file's grid.
        affine: (4, 4), index to mm, or to pixels.

    Returns:
        One plane for a picture; axial, coronal, sagittal for a volume.
    """
    size = np.linalg.norm(affine[:3, :3], axis=0)
    if len(shape) == 2:
        return [Plane("", (float(size[0]), float(size[1])))]
    orientation = io_orientation(affine)
    source = np.argsort(orientation[:, 0])  # axis of the file that becomes each canonical axis
    canonical = tuple(int(shape[axis]) for axis in source)
    place = canonical_index(voxel, orientation, canonical)
    planes = []
    for normal in (2, 1, 0):
        across, down = (axis for axis in range(3) if axis != normal)
        name, sides = VOLUME_PLANES[normal]
        element = (float(size[source[down]]), float(size[source[across]]))
        planes.append(Plane(name, element, sides, place[normal], normal, orientation, canonical))
    return planes


def canonical_index(voxel: Sequence[int], orientation: np.ndarray, canonical: Sequence[int]) -> tuple[int, int, int]:
    """A voxel's place in the volume turned to right, front, head."""
    place = [0, 0, 0]
    for position, (axis, direction) in zip(voxel, orientation, strict=True):
        axis = int(axis)
        place[axis] = int(position) if direction > 0 else canonical[axis] - 1 - int(position)
    return place[0], place[1], place[2]
