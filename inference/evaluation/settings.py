"""What to compute of coverage: the entry `coverage` of a bundle's evaluate.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..calibration.promised import Names, Promised
from ..calibration.read_cases import Stated
from ..calibration.record import MARGINAL, SHAPES, SIZES
from ..calibration.regions.interval import Interval
from ..calibration.scores.conformity_score import ConformityScore


@dataclass(frozen=True)
class Coverage(Promised):
    """Settings, fixed before any figure is seen.

    Args:
        targets, promises, at_once: see `Promised`.
        levels: claimed together, see `claims`.
        kinds: of regions whose records are looked at: "interval" of measurements; "disc", "ellipse" of landmarks; "classes".
        baselines: conformity scores by name, calibrated on the same units as the record's own and compared with it, such as a
            width from predicted size alone.
        calibration_split: part of the list that records were made of, for baselines and re-splits; None for the part that `caveat
            calibrate` takes by itself, "training" for records of cross-validation and else "calibration".
        resplits: random divisions of calibration and evaluated units.
        confidence: with which all claims stay in their bands if kept; also of bootstrap intervals.
        resamples: of the bootstrap over units.
        seed: of re-splits and bootstrap.
        plotted_level: of the pictures, and of the width that is ranked against the error.

    Raises:
        ValueError: an unknown promise, a name in `at_once` that is no target, or intervals of landmarks.
    """

    targets: Sequence[Stated]
    levels: Sequence[float] = (0.5, 0.8, 0.9)
    kinds: Sequence[str] = (Interval.kind,)
    promises: Sequence[str] = (MARGINAL,)
    at_once: Sequence[str] = ()
    baselines: Mapping[str, ConformityScore] = field(default_factory=dict)
    calibration_split: str | None = None
    resplits: int = 200
    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 0
    plotted_level: float = 0.9

    def __post_init__(self) -> None:
        self.check_promises()
        if any((kind in SHAPES) is not self.of_landmarks for kind in self.kinds):
            raise ValueError("intervals are of measurements, discs and ellipses of landmarks")

    @property
    def size(self) -> str:
        """What is stated of a region's size: an interval's width; of places the radius of the disc as large; how many classes."""
        return SIZES[self.kinds[0]]

    def asked(self) -> Iterator[tuple[Names, str, str]]:
        """Components, promise and kind of region of each record that is looked at."""
        return ((names, promise, kind) for kind in self.kinds for names, promise in self.promised())

    def claims(self, promise: str) -> int:
        """Coverages of one promise that are claimed together, a Bonferroni family: levels times kinds, of marginal regions times
        targets."""
        return len(self.levels) * len(self.kinds) * (len(self.targets) if promise == MARGINAL else 1)
