"""Area of a structure in a picture."""

from __future__ import annotations

from collections.abc import Sequence

from ..measurement import Measurement
from ..study_grid import GridElement


class Area(Measurement):
    """Area: mm2 where the spacing is known, else pixels of the input."""

    def unit(self, element: GridElement) -> str:
        return element.unit

    def value(self, counts: Sequence[int], region_count: int, element: GridElement) -> float:
        return self.count(counts) * element.size
