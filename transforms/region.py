"""A region of space that somebody drew: where it lies, along any axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from caveat.reasons import StudyRefused


@dataclass(frozen=True)
class Region:
    """Equal boxes in space, of which only those are kept that can lie outermost.

    Args:
        points: (n, 3) their middles, mm, RAS; n at least 1.
        edges: (3, 3) the edges of each in columns, mm.
        frame_of_reference: sha256 of the identifier of the space that it was drawn in, "" where the file has none.
    """

    points: np.ndarray
    edges: np.ndarray
    frame_of_reference: str = ""

    def extent(self, linear: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far its boxes reach, after a linear map, along each axis there.

        Args:
            linear: (3, 3), of mm: the identity for the axes of the world, an inverse affine for those of a grid.

        Returns:
            (3,) the lowest, (3,) the highest coordinate.
        """
        moved = self.points @ linear.T
        half = np.abs(linear @ self.edges).sum(axis=1) / 2
        return moved.min(axis=0) - half, moved.max(axis=0) + half


def region_of_mask(mask: np.ndarray, affine: np.ndarray, frame_of_reference: str = "") -> Region:
    """Args: mask: (x, y, z) bool; affine: (4, 4), mm, RAS. Raises: StudyRefused: EMPTY_REGION."""
    lines = np.argwhere(mask.any(axis=0))
    if not len(lines):
        raise StudyRefused("EMPTY_REGION", "no voxel above 0")
    lit = mask[:, lines[:, 0], lines[:, 1]]
    first, last = lit.argmax(axis=0), len(lit) - 1 - lit[::-1].argmax(axis=0)
    ends = np.concatenate([np.column_stack([first, lines]), np.column_stack([last, lines])])
    return Region(ends @ affine[:3, :3].T + affine[:3, 3], affine[:3, :3], frame_of_reference)
