"""How a bundle's regions of landmarks are made, fixed before the calibration units are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..gate.gate import Check
from ..point_truths import PointTruths
from .point_record import PROMISES
from .quantile import miss_rate
from .region_shape import Disc, Ellipse

SHAPES = (Disc.kind, Ellipse.kind)


@dataclass(frozen=True)
class PointCalibration:
    """Settings of `calibrate_points`: the entry `calibration` of calibrate.yaml.

    Args:
        truths: reads the truth of an entry of the list: the first rater's.
        names: of the bundle's landmarks.
        unit: what is exchangeable, in words: "patient".
        levels: that the records must serve; the highest says how many units are needed.
        shapes: "disc", "ellipse". promises: see `PROMISES`. There is a record for each of both.
        checks: of the gate; none accepts every study. false_alarm_rate: of all checks together.
        seed: of the choice of one image per unit.
        pooled: folder of pooled covariances, of which the one of the predictions' own sampler is taken; needed for ellipses.
        share, floor: of the ellipse's shape, see `regions.shape_matrix`; the floor in mm2.

    Raises:
        ValueError: an unknown shape or promise, a level outside (0, 1), ellipses without `pooled`.
    """

    truths: PointTruths
    names: Sequence[str]
    unit: str
    levels: Sequence[float] = (0.5, 0.8, 0.9)
    shapes: Sequence[str] = SHAPES
    promises: Sequence[str] = PROMISES
    checks: Sequence[Check] = ()
    false_alarm_rate: float = 0.1
    seed: int = 0
    pooled: str | Path | None = None
    share: float = 0.5
    floor: float = 0.01

    def __post_init__(self) -> None:
        for level in self.levels:
            miss_rate(level)
        for name, given, known in (("shapes", self.shapes, SHAPES), ("promises", self.promises, PROMISES)):
            if not given or not set(given) <= set(known):
                raise ValueError(f"{name} must be of {', '.join(known)}, got {', '.join(given) or 'none'}")
        if Ellipse.kind in self.shapes and self.pooled is None:
            raise ValueError("an ellipse needs `pooled`, a folder of pooled covariances")
