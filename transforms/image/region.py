"""A region of space that somebody drew: where it lies, along any axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from caveat.reasons import StudyRefused

SMALLEST_PART = 0.1
"""Of the largest, below which a part is a stray, if it lies near."""
FURTHEST_STRAY = 0.5
"""Of the extent of what is no stray, along each axis, by which a stray may stretch it; the middle moves by half of that."""
MOST_NAMED = 10


@dataclass(frozen=True)
class Region:
    """Equal boxes in space, of which only those are kept that can lie outermost.

    Args:
        points: (n, 3) their middles, mm, RAS; n at least 1.
        edges: (3, 3) the edges of each in columns, mm.
        frame_of_reference: sha256 of the identifier of the space that it was drawn in, "" where the file has none.
        parts: how many it has that do not touch: the middle of several lies in none of them.
    """

    points: np.ndarray
    edges: np.ndarray
    frame_of_reference: str = ""
    parts: int = 1

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


def region_of_mask(mask: np.ndarray, affine: np.ndarray) -> Region:
    """Args: mask: (x, y, z) bool; affine: (4, 4), mm, RAS. Raises: StudyRefused: EMPTY_REGION."""
    lines = np.argwhere(mask.any(axis=0))
    if not len(lines):
        raise StudyRefused("EMPTY_REGION", "no voxel in the mask")
    lit = mask[:, lines[:, 0], lines[:, 1]]
    first, last = lit.argmax(axis=0), len(lit) - 1 - lit[::-1].argmax(axis=0)
    ends = np.concatenate([np.column_stack([first, lines]), np.column_stack([last, lines])])
    return Region(ends @ affine[:3, :3].T + affine[:3, 3], affine[:3, :3], parts=separate_parts(mask))


def separate_parts(mask: np.ndarray) -> int:
    """How many parts of a mask do not touch, not even at a corner.

    Args:
        mask: (x, y, z) bool, not empty.
    """
    (inside,) = ndimage.find_objects(mask.astype(np.uint8))
    parts, _ = ndimage.label(mask[inside], np.ones((3, 3, 3)))
    boxes = ndimage.find_objects(parts)
    low, high = (np.array([[getattr(extent, end) for extent in box] for box in boxes]) for end in ("start", "stop"))
    return count_parts(np.bincount(parts.ravel())[1:], low, high)


def count_parts(sizes: np.ndarray, low: np.ndarray, high: np.ndarray) -> int:
    """How many parts are no strays: small, and so near that the middle of all stays inside what is no stray.

    Args:
        sizes: (parts,). low, high: (parts, axes), where each begins and ends.
    """
    large = sizes >= SMALLEST_PART * sizes.max()
    start, end = low[large].min(axis=0), high[large].max(axis=0)
    reach = FURTHEST_STRAY * (end - start)
    far = ((low < start - reach) | (high > end + reach)).any(axis=1)
    return int((large | far).sum())


def one_label(found: Sequence[int], label: int | None, what: str) -> int:
    """The label that is meant, or the only one.

    Args:
        found: the labels, segments or structures of a file, by number.
        label: the one that is asked for, None for the only one.
        what: they are.

    Raises:
        StudyRefused: EMPTY_REGION, AMBIGUOUS_REGION.
    """
    if label is not None and label in found:
        return label
    named = f"{len(found)} {what}: " + ", ".join(map(str, found[:MOST_NAMED])) + (", ..." if len(found) > MOST_NAMED else "")
    if label is not None or not found:
        raise StudyRefused("EMPTY_REGION", f"none of the {named}" if found else f"0 {what}")
    if len(found) > 1:
        raise StudyRefused("AMBIGUOUS_REGION", named)
    return found[0]
