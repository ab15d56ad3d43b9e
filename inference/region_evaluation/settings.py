"""What to compute of regions: the entry `regions` of a bundle's evaluate.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..calibration.point_settings import SHAPES


@dataclass(frozen=True)
class RegionEvaluation:
    """Settings, fixed before any figure is seen.

    Args:
        names: of the bundle's landmarks.
        shapes: whose records are looked at, for both promises.
        levels: claimed together.
        calibration_split: part of the list whose units are divided anew together with those evaluated, where the record was made
            of it.
        resplits: random divisions.
        confidence: with which all claims of one promise stay in their bands if kept; also of bootstrap intervals.
        resamples: of the bootstrap over units.
        seed: of re-splits and bootstrap.
        plotted_level: of the picture.
    """

    names: Sequence[str]
    shapes: Sequence[str] = SHAPES
    levels: Sequence[float] = (0.5, 0.8, 0.9)
    calibration_split: str = "calibration"
    resplits: int = 200
    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 0
    plotted_level: float = 0.9

    def claims(self, promise: str) -> int:
        """Coverages of one promise that are claimed together: levels times shapes, of marginal regions times landmarks."""
        return len(self.levels) * len(self.shapes) * (1 if promise == "simultaneous" else len(self.names))
