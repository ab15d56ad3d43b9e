"""Number of objects of odd shape in a picture: often several that were not told apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import find_objects
from scipy.spatial import ConvexHull

from .count import Count
from .drawn import Drawn
from .largest_diameter import ends_of_lines


class OddShapes(Count):
    """How many objects are not nearly convex, those that the picture's border cuts among them.

    0 is an answer here: it says something of the count beside it, and of an empty picture nothing.

    Args:
        name, title, classes, counted: as of a `Count`.
        solidity: area over that of the convex hull, below which a shape is odd.
    """

    def __init__(self, name: str, title: str, classes: Sequence[int], counted: str = "objects", solidity: float = 0.9) -> None:
        super().__init__(name, title, classes, counted)
        self.solidity = solidity

    def of(self, drawn: Drawn) -> float:
        objects = drawn.objects(self.classes)
        masks = (objects[box] == number for number, box in enumerate(find_objects(objects), start=1))
        return float(sum(solidity(mask) < self.solidity for mask in masks))

    def found(self, value: float) -> bool:
        return True


def solidity(mask: np.ndarray) -> float:
    """Area over that of the convex hull, whose corners are the middles of pixels' sides: of a convex object about 1.

    Args:
        mask: bool (rows, columns), not empty.
    """
    sides = np.eye(mask.ndim) / 2
    points = np.concatenate([ends_of_lines(mask) + side for side in (*sides, *-sides)])
    return float(mask.sum() / ConvexHull(points).volume)  # of what is flat the "volume" is the area
