"""Area of the objects of a structure in a picture."""

from __future__ import annotations

from collections.abc import Sequence

from ..engine.study_grid import GridElement
from .drawn import Drawn
from .target import Target


class ObjectArea(Target):
    """Area of all objects, or of one of them on average: mm2 where the spacing is known, else pixels of the input.

    Unlike `Area` it holds the seams between objects, and no debris. What the border cuts counts as far as it is seen.

    Args:
        name, title, classes: as of a `Target`.
        mean: of one object.
    """

    needs_mask = True

    def __init__(self, name: str, title: str, classes: Sequence[int], mean: bool = False) -> None:
        super().__init__(name, title, classes)
        self.mean = mean

    def unit(self, element: GridElement) -> str:
        if element.dimensions != 2:
            raise ValueError(f"{self.name}: objects are told apart in pictures")
        return element.unit

    def of(self, drawn: Drawn) -> float:
        objects = drawn.objects(self.classes)
        area = float((objects > 0).sum() * drawn.element.size)
        return area / max(int(objects.max(initial=0)), 1) if self.mean else area
