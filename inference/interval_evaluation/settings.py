"""What to compute of intervals: the entry `intervals` of a bundle's evaluate.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..calibration.scores.conformity_score import ConformityScore
from ..targets.target import Target


@dataclass(frozen=True)
class IntervalEvaluation:
    """Settings, fixed before any figure is seen.

    Args:
        measurements: of the bundle.
        levels: claimed together; with the measurements they are the claims of one Bonferroni family.
        baselines: conformity scores by name, calibrated on the same units as the record's own and compared with it, such as a
            width from predicted size alone.
        calibration_split: part of the list that records were made of, for baselines and re-splits.
        resplits: random divisions of calibration and evaluated units.
        confidence: with which all claims stay in their bands if kept; also of bootstrap intervals.
        resamples: of the bootstrap over units.
        seed: of re-splits and bootstrap.
        plotted_level: of the bars in the plot, and of the width that is ranked against the error.
    """

    measurements: Sequence[Target]
    levels: Sequence[float] = (0.5, 0.8, 0.9, 0.95)
    baselines: Mapping[str, ConformityScore] = field(default_factory=dict)
    calibration_split: str = "calibration"
    resplits: int = 200
    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 0
    plotted_level: float = 0.9

    @property
    def claims(self) -> int:
        """Coverages claimed together."""
        return len(self.levels) * len(self.measurements)
