"""Volume of a structure."""

from __future__ import annotations

from collections.abc import Sequence

from ..measurement import Measurement
from ..study_grid import GridElement

MM3_PER_ML = 1000.0


class Volume(Measurement):
    """Volume: mL where the spacing is known, else voxels of the input."""

    def unit(self, element: GridElement) -> str:
        return "mL" if element.unit == "mm3" else element.unit

    def value(self, counts: Sequence[int], region_count: int, element: GridElement) -> float:
        volume = self.count(counts) * element.size
        return volume / MM3_PER_ML if element.unit == "mm3" else volume
