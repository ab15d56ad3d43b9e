"""Area of a structure in a picture."""

from __future__ import annotations

from ..engine.study_grid import GridElement
from .drawn import Drawn
from .target import Target


class Area(Target):
    """Area: mm2 where the spacing is known, else pixels of the input."""

    def unit(self, element: GridElement) -> str:
        return element.unit

    def of(self, drawn: Drawn) -> float:
        return drawn.count(self.classes) * drawn.element.size
