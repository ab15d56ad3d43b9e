"""What to compute of coverage: the entry `coverage` of a bundle's evaluate.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..calibration.read_cases import Stated
from ..calibration.record import MARGINAL, PROMISES
from ..calibration.regions.interval import Interval
from ..calibration.scores.conformity_score import ConformityScore
from ..targets.landmark import Landmark


@dataclass(frozen=True)
class Coverage:
    """Settings, fixed before any figure is seen.

    Args:
        targets: the bundle's measurements, or its landmarks.
        levels: claimed together, see `claims`.
        kinds: of regions whose records are looked at: "interval" of measurements; "disc", "ellipse" of landmarks.
        promises: see `record.PROMISES`.
        at_once: names of the targets that a simultaneous promise is about, all of them where none is named.
        baselines: conformity scores by name, calibrated on the same units as the record's own and compared with it, such as a
            width from predicted size alone.
        calibration_split: part of the list that records were made of, for baselines and re-splits.
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
    calibration_split: str = "calibration"
    resplits: int = 200
    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 0
    plotted_level: float = 0.9

    def __post_init__(self) -> None:
        if not set(self.promises) <= set(PROMISES):
            raise ValueError(f"promises must be of {', '.join(PROMISES)}, got {', '.join(self.promises)}")
        if not set(self.at_once) <= set(self.names):
            raise ValueError("at_once names what is no target")
        if any((kind == Interval.kind) is self.of_landmarks for kind in self.kinds):
            raise ValueError("intervals are of measurements, discs and ellipses of landmarks")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the targets."""
        return tuple(target.name for target in self.targets)

    @property
    def of_landmarks(self) -> bool:
        """Whether the targets are landmarks."""
        return all(isinstance(target, Landmark) for target in self.targets)

    @property
    def size(self) -> str:
        """What is stated of a region's size: the width of an interval; of places the radius of the disc as large."""
        return "radius" if self.of_landmarks else "width"

    def asked(self) -> Iterator[tuple[tuple[str, ...], str, str]]:
        """Components, promise and kind of region of each record that is looked at."""
        alone = [self.names] if self.of_landmarks else [(name,) for name in self.names]
        for kind in self.kinds:
            for promise in self.promises:
                for names in alone if promise == MARGINAL else [tuple(self.at_once) or self.names]:
                    yield names, promise, kind

    def claims(self, promise: str) -> int:
        """Coverages of one promise that are claimed together, a Bonferroni family: levels times kinds, of marginal regions times
        targets."""
        return len(self.levels) * len(self.kinds) * (len(self.targets) if promise == MARGINAL else 1)
