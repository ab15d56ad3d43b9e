"""How many parts of a contoured structure do not touch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from caveat.reasons import StudyRefused

from ..image.region import count_parts

MOST_CONTOURS = 10_000
REACH = 2.5
"""In steps between planes: one plane may have been left out."""


def contour_parts(contours: Sequence[np.ndarray], areas: np.ndarray, axes: np.ndarray, step: float) -> int:
    """Contours touch where the boxes around them do, along the axes of their planes and from one plane to the next.

    Args:
        contours: (n, 3) each, mm.
        areas: of each, mm2.
        axes: (3, 3) rows: two directions in the planes, and their normal.
        step: the smallest between two planes, mm.

    Raises:
        StudyRefused: REGION_UNREADABLE where they are too many to compare.
    """
    if len(contours) > MOST_CONTOURS:
        raise StudyRefused("REGION_UNREADABLE", f"{len(contours)} contours, the limit is {MOST_CONTOURS}")
    placed = [contour @ axes.T for contour in contours]
    low, high = (np.array([getattr(one, end)(axis=0) for one in placed]) for end in ("min", "max"))
    above = high + [0, 0, REACH * step]
    pairs = [
        np.flatnonzero((low <= above[index]).all(axis=1) & (above >= low[index]).all(axis=1)) for index in range(len(placed))
    ]
    rows = np.repeat(np.arange(len(placed)), [len(found) for found in pairs])
    touching = coo_array((np.ones(len(rows), bool), (rows, np.concatenate(pairs))), shape=(len(placed),) * 2)
    count, parts = connected_components(touching, directed=False)
    lowest = np.array([low[parts == part].min(axis=0) for part in range(count)])
    highest = np.array([high[parts == part].max(axis=0) for part in range(count)])
    return count_parts(np.bincount(parts, weights=areas), lowest, highest)
