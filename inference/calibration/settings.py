"""A bundle's calibrate.yaml: how its intervals are made, fixed before the calibration units are looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monai.bundle import ConfigParser

from caveat.reasons import StudyRefused

from ..evaluate import Truths
from ..gate.gate import Check
from ..gate.image_scores import IMAGE_SCORES
from ..targets.target import Target
from .fold_bounds import fold_units_needed
from .point_settings import PointCalibration
from .quantile import ONE_SIDED_SCORES, miss_rate, units_needed
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
            has one class. Fixed beforehand, from other units; a class with too few units gives no interval.
        networks: K, for a record of cross-validation: the predictions are those of the K networks that ship, and each entry of
            the list names the `fold` whose network has not seen it. None for units that no network has seen.
        one_recipe: whether all K were trained by one recipe that does not depend on the fold's number, see `fold_bounds`.
        any_unit: whether the score is one of ratios alone (an offset far below every value), so that a record holds for studies
            in another unit and on a grid of another spacing too: in mL what was learned in voxels.

    Raises:
        ValueError: unknown sides, a level outside (0, 1), bounds that do not rise, any_unit with a score not of ratios; by
            cross-validation a level at which nothing is proven, or a check or a width by a study score of the networks: only
            those of the image alone are as in a new study.
    """

    truths: Truths
    measurements: Sequence[Target]
    score: ConformityScore | Mapping[str, ConformityScore]
    unit: str
    sides: str = "two-sided"
    levels: Sequence[float] = (0.5, 0.8, 0.9)
    checks: Sequence[Check] = ()
    false_alarm_rate: float = 0.1
    seed: int = 0
    size_classes: Mapping[str, Sequence[float]] = field(default_factory=dict)
    networks: int | None = None
    one_recipe: bool = False
    any_unit: bool = False

    def __post_init__(self) -> None:
        if self.sides not in ONE_SIDED_SCORES:
            raise ValueError(f"sides must be one of {', '.join(ONE_SIDED_SCORES)}, got {self.sides}")
        for level in self.levels:
            self.needed(level)
        if self.networks is not None:
            scores = [self.score_of(measurement.name) for measurement in self.measurements]
            looked_at = {check.name for check in self.checks}.union(*(score.study_scores for score in scores))
            if others := ", ".join(sorted(looked_at - IMAGE_SCORES)):
                raise ValueError(f"all networks together have seen every unit: {others} says nothing of a new one")
        if self.any_unit and not all(self.score_of(measurement.name).of_ratios for measurement in self.measurements):
            raise ValueError("any_unit asks for a score of ratios: another is a distance in the measurement's unit")
        if any(list(bounds) != sorted(set(bounds)) for bounds in self.size_classes.values()):
            raise ValueError("bounds of size classes must rise")

    def needed(self, level: float) -> int:
        """Units that a class needs at a level. Raises: ValueError: see above."""
        miss = miss_rate(level)
        if self.networks is None:
            return units_needed(miss, self.sides)
        return fold_units_needed(self.networks, miss, ONE_SIDED_SCORES[self.sides], self.one_recipe)

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
