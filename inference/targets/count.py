"""Number of objects of a structure in a picture."""

from __future__ import annotations

from collections.abc import Sequence

from ..engine.study_grid import GridElement
from .drawn import Drawn
from .target import Target


class Count(Target):
    """How many objects there are, those that the picture's border cuts among them.

    Args:
        name, title, classes: as of a `Target`.
        counted: what is counted, in the plural: the unit.
    """

    needs_mask = True

    def __init__(self, name: str, title: str, classes: Sequence[int], counted: str = "objects") -> None:
        super().__init__(name, title, classes)
        self.counted = counted

    def unit(self, element: GridElement) -> str:
        if element.dimensions != 2:
            raise ValueError(f"{self.name}: objects are told apart in pictures")
        return self.counted

    def of(self, drawn: Drawn) -> float:
        return float(drawn.objects(self.classes).max(initial=0))
