"""A bundle's calibrate.yaml: how its regions are made, fixed before the calibration units are looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monai.bundle import ConfigParser

from caveat.reasons import StudyRefused

from ..gate.gate import Check
from ..gate.image_scores import IMAGE_SCORES
from ..reducers.draw_entropy import NAME as DRAW_ENTROPY
from ..reducers.draw_extent import NAME as DRAW_EXTENT
from ..stored.list_part import Truths
from .fold_bounds import fold_units_needed
from .promised import Names, Promised
from .quantile import ONE_SIDED_SCORES, miss_rate, units_needed
from .read_cases import Stated
from .record import MARGINAL, SIMULTANEOUS
from .scores.conformity_score import ConformityScore
from .strata import SIZE

OF_EACH_DRAW = frozenset({DRAW_ENTROPY, DRAW_EXTENT})
"""Study scores of which each network's own is known."""
ALL = "all"
"""In the place of a target's name."""


@dataclass(frozen=True)
class Calibration(Promised):
    """Settings of `calibrate`.

    Args:
        truths: reads the truth of an entry of the list.
        targets, promises, at_once: see `Promised`.
        score: one for all targets, several (a record of each kind of region), or one for each measurement by name.
        unit: what is exchangeable, in words: "subject", "patient"; "scan" where the patient is not known.
        sides: see `quantile.ONE_SIDED_SCORES`.
        levels: that the record must serve; the highest says how many units are needed.
        checks: of the gate; none accepts every study.
        false_alarm_rate: of all checks together.
        seed: of the choice of one study per unit.
        strata: upper bounds of all strata but the last, by name of the target, or of `ALL`; one that is not named has one.
            Fixed beforehand, from other units; a stratum with too few units gives no region.
        stratified_by: what the bounds are of, see `strata.stratifying_number`.
        networks: K, for a record of cross-validation: the predictions are those of the K networks that ship, and each entry of
            the list names the `fold` whose network has not seen it. None for units that no network has seen.
        one_recipe: whether all K were trained by one recipe that does not depend on the fold's number, see `fold_bounds`.
        any_unit: whether the score is one of ratios alone (an offset far below every value), so that a record holds for studies
            in another unit and on a grid of another spacing too: in mL what was learned in voxels.

    Raises:
        ValueError: unknown sides or promises, a level outside (0, 1), bounds that do not rise, any_unit with a score not of
            ratios, one-sided regions of places; strata by size of what has none; by cross-validation a level at which nothing is
            proven, a score that is not known between networks, or a check or a width by a study score of the networks: only
            those of the image alone are as in a new study.
    """

    truths: Truths
    targets: Sequence[Stated]
    score: ConformityScore | Sequence[ConformityScore] | Mapping[str, ConformityScore]
    unit: str
    sides: str = "two-sided"
    levels: Sequence[float] = (0.5, 0.8, 0.9)
    promises: Sequence[str] = (MARGINAL,)
    at_once: Sequence[str] = ()
    checks: Sequence[Check] = ()
    false_alarm_rate: float = 0.1
    seed: int = 0
    strata: Mapping[str, Sequence[float]] = field(default_factory=dict)
    stratified_by: str = SIZE
    networks: int | None = None
    one_recipe: bool = False
    any_unit: bool = False

    def __post_init__(self) -> None:
        if self.sides not in ONE_SIDED_SCORES:
            raise ValueError(f"sides must be one of {', '.join(ONE_SIDED_SCORES)}, got {self.sides}")
        self.check_promises()
        for level in self.levels:
            self.needed(level)
        scores = [score for *_, score in self.asked()]
        if self.sides != "two-sided" and any(score.ends == 1 for score in scores):
            raise ValueError("a region of places has no sides")
        if self.networks is not None:
            self._check_networks(scores)
        if self.any_unit and not all(score.of_ratios for score in scores):
            raise ValueError("any_unit asks for a score of ratios: another is a distance in the measurement's unit")
        if any(list(bounds) != sorted(set(bounds)) for bounds in self.strata.values()):
            raise ValueError("bounds of strata must rise")
        if self.strata and self.stratified_by == SIZE and (self.of_landmarks or SIMULTANEOUS in self.promises):
            raise ValueError("landmarks, and several measurements at once, have no size: stratify by a study score")

    def _check_networks(self, scores: Sequence[ConformityScore]) -> None:
        looked_at = {check.name for check in self.checks}.union(*(score.study_scores for score in scores)) - OF_EACH_DRAW
        if self.strata and self.stratified_by != SIZE:
            looked_at.add(self.stratified_by)
        if others := ", ".join(sorted(looked_at - IMAGE_SCORES)):
            raise ValueError(f"all networks together have seen every unit: {others} says nothing of a new one")
        if not all(score.between_networks for score in scores):
            raise ValueError("a region about one network's answer that holds another's is not known for this score")
        if self.sides != "two-sided" and SIMULTANEOUS in self.promises:
            raise ValueError("by cross-validation a simultaneous promise is two-sided")

    def asked(self) -> Iterator[tuple[Names, str, ConformityScore]]:
        """Components, promise and score of every record."""
        return ((names, promise, score) for names, promise in self.promised() for score in self.scores_of(names))

    def needed(self, level: float) -> int:
        """Units that a stratum needs at a level. Raises: ValueError: see above."""
        miss = miss_rate(level)
        if self.networks is None:
            return units_needed(miss, self.sides)
        return fold_units_needed(self.networks, miss, ONE_SIDED_SCORES[self.sides], self.one_recipe)

    def bounds_of(self, name: str) -> Sequence[float]:
        """Of a target's strata."""
        return self.strata.get(name, self.strata.get(ALL, ()))

    def scores_of(self, names: Names) -> list[ConformityScore]:
        """The scores of some components; of several at once all share one. Raises: ValueError: they do not."""
        if isinstance(self.score, ConformityScore):
            return [self.score]
        if not isinstance(self.score, Mapping):
            return list(self.score)
        own = [self.score[name] for name in names]
        if any(score != own[0] for score in own):
            raise ValueError("what is promised at once needs one score")
        return own[:1]


def read_calibration(path: Path) -> Calibration:
    """Read the config over inference.yaml beside it, and build what its entry `calibration` describes.

    Args:
        path: of calibrate.yaml, or of another config of its form.

    Raises:
        StudyRefused: WRONG_USAGE for a config without that entry, such as a sampler's, and for settings at odds with each other.
        TypeError: the entry is no `Calibration`.
    """
    parser = ConfigParser()
    parser.read_config([path.with_name("inference.yaml"), path])
    parser["bundle_root"] = str(path.parent.parent)
    if "calibration" not in parser:
        raise StudyRefused("WRONG_USAGE", f"{path.name} has no entry `calibration`")
    try:
        calibration = parser.get_parsed_content("calibration")
    except RuntimeError as error:  # MONAI's word for whatever a component raises
        if isinstance(error.__cause__, ValueError):  # of `Calibration`, which quotes settings alone
            raise StudyRefused("WRONG_USAGE", f"{path.name}: {error.__cause__}") from error
        raise
    if not isinstance(calibration, Calibration):
        raise TypeError(f"{path.name}: entry `calibration` is {type(calibration).__name__}, expected Calibration")
    return calibration
