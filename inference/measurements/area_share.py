"""Share of the measured region that a structure fills."""

from __future__ import annotations

from collections.abc import Sequence

from ..measurement import Measurement
from ..study_grid import GridElement


class AreaShare(Measurement):
    """Per cent of the region: the same at every magnification, unlike an area in pixels."""

    def unit(self, element: GridElement) -> str:
        return "%"

    def value(self, counts: Sequence[int], region_count: int, element: GridElement) -> float:
        return 100.0 * self.count(counts) / region_count if region_count else 0.0
