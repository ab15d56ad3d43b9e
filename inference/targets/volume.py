"""Volume of a structure."""

from __future__ import annotations

from ..engine.study_grid import GridElement
from .drawn import Drawn
from .target import Target

MM3_PER_ML = 1000.0


class Volume(Target):
    """Volume: mL where the spacing is known, else voxels of the input."""

    def unit(self, element: GridElement) -> str:
        return "mL" if element.unit == "mm3" else element.unit

    def of(self, drawn: Drawn) -> float:
        volume = drawn.count(self.classes) * drawn.element.size
        return volume / MM3_PER_ML if drawn.element.unit == "mm3" else volume
