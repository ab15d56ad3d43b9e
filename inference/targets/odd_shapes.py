"""Number of objects of odd shape in a picture: often several that were not told apart."""

from __future__ import annotations

from collections.abc import Sequence

from skimage.measure import regionprops

from .count import Count
from .drawn import Drawn


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
        return float(sum(one.solidity < self.solidity for one in regionprops(drawn.objects(self.classes))))

    def found(self, value: float) -> bool:
        return True
