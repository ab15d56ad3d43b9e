"""Largest diameter of a structure."""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull
from scipy.spatial.distance import cdist

from ..engine.study_grid import GridElement
from .drawn import Drawn
from .piece import cut_out, largest_piece
from .target import Target

AT_ONCE = 1024
"""Points whose distances to all others are held together: a large body has ten thousand."""


class LargestDiameter(Target):
    """Feret's diameter of the largest connected piece: mm where the spacing is known, else pixels or voxels of the input.

    The largest distance of any two points of its surface, which lie in the middles of its elements' faces (of a picture, of their
    sides). Of the whole structure a stray element far away would be one end.

    Elongated bodies (24 x 8 x 8 mm, turned at random) come out at +0.1 mm on average with voxels of 1 mm, +0.4 mm with 0.8 x
    0.8 x 2.5 mm; a ball, whose diameter is the largest over all directions, comes out up to one voxel's longest side too
    large. Between the middles of voxels such bodies are 0.7 and 1.2 mm too short, and a single voxel has no diameter:
    benchmarks/target_bias.py.

    Source: "maximum 3D diameter" of the Image Biomarker Standardisation Initiative (Zwanenburg et al. 2020), there of all pieces.
    """

    needs_mask = True

    def unit(self, element: GridElement) -> str:
        return element.length_unit

    def of(self, drawn: Drawn) -> float:
        mask = cut_out(drawn.mask(self.classes))
        if not mask.size:
            return 0.0
        ends = ends_of_lines(largest_piece(mask))
        sides = np.eye(mask.ndim) / 2
        points = np.concatenate([ends + side for side in (*sides, *-sides)]) * drawn.element.spacing
        corners = points[ConvexHull(points).vertices]
        return max(float(cdist(corners[first : first + AT_ONCE], corners).max()) for first in range(0, len(corners), AT_ONCE))


def ends_of_lines(mask: np.ndarray) -> np.ndarray:
    """First and last element of each line along the last axis, int (ends, axes): no other can be a corner of the hull."""
    lines = np.argwhere(mask.any(axis=-1))
    along = mask[tuple(lines.T)]  # (lines, elements)
    first, last = along.argmax(axis=1), along.shape[1] - 1 - along[:, ::-1].argmax(axis=1)
    return np.concatenate([np.column_stack([lines, end]) for end in (first, last)])
