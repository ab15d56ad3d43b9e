"""Share of the measured region that a structure fills."""

from __future__ import annotations

from ..engine.study_grid import GridElement
from .drawn import Drawn
from .target import Target


class AreaShare(Target):
    """Per cent of the region: the same at every magnification, unlike an area in pixels."""

    def unit(self, element: GridElement) -> str:
        return "%"

    def of(self, drawn: Drawn) -> float:
        return 100.0 * drawn.count(self.classes) / drawn.region_count if drawn.region_count else 0.0
