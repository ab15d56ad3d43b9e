"""A bundle's calibrate.yaml: how its intervals are made, fixed before the calibration units are looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monai.bundle import ConfigParser

from caveat.reasons import StudyRefused

from ..evaluate import Truths
from ..gate.gate import Check
from ..measurement import Measurement
from .point_settings import PointCalibration
from .quantile import ONE_SIDED_SCORES, miss_rate
from .scores.conformity_score import ConformityScore


@dataclass(frozen=True)
class Calibration:
    """Settings of `calibrate`.

    Args:
        truths: reads the truth of an entry of the list.
        measurements: the bundle's.
        score: one for all measurements, or one for each by name.
        unit: what is exchangeable, in words: "subject", "patient"; "scan" where the patient is not known.
        sides: see `quantile.ONE_SIDED_SCORES`.
        levels: that the record must serve; the highest says how many units are needed.
        checks: of the gate; none accepts every study.
        false_alarm_rate: of all checks together.
        seed: of the choice of one study per unit.
        size_classes: upper bounds of all classes but the last, by measurement, in its unit; a measurement that is not named
            has one class. Fixed beforehand, from other units.

    Raises:
        ValueError: unknown sides, a level outside (0, 1), bounds that do not rise.
    """

    truths: Truths
    measurements: Sequence[Measurement]
    score: ConformityScore | Mapping[str, ConformityScore]
    unit: str
    sides: str = "two-sided"
    levels: Sequence[float] = (0.5, 0.8, 0.9)
    checks: Sequence[Check] = ()
    false_alarm_rate: float = 0.1
    seed: int = 0
    size_classes: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.sides not in ONE_SIDED_SCORES:
            raise ValueError(f"sides must be one of {', '.join(ONE_SIDED_SCORES)}, got {self.sides}")
        for level in self.levels:
            miss_rate(level)
        if any(list(bounds) != sorted(set(bounds)) for bounds in self.size_classes.values()):
            raise ValueError("bounds of size classes must rise")

    def score_of(self, measurement: str) -> ConformityScore:
        """The score of a measurement, by name."""
        return self.score if isinstance(self.score, ConformityScore) else self.score[measurement]


def read_calibration(path: Path) -> Calibration | PointCalibration:
    """Read the config over inference.yaml beside it, and build what its entry `calibration` describes.

    Args:
        path: of calibrate.yaml, or of another config of its form.

    Raises:
        StudyRefused: WRONG_USAGE for a config without that entry, such as a sampler's.
        TypeError: the entry is no `Calibration` and no `PointCalibration`.
    """
    parser = ConfigParser()
    parser.read_config([path.with_name("inference.yaml"), path])
    parser["bundle_root"] = str(path.parent.parent)
    if "calibration" not in parser:
        raise StudyRefused("WRONG_USAGE", f"{path.name} has no entry `calibration`")
    calibration = parser.get_parsed_content("calibration")
    if not isinstance(calibration, Calibration | PointCalibration):
        raise TypeError(f"{path.name}: entry `calibration` is {type(calibration).__name__}, expected Calibration of either kind")
    return calibration
