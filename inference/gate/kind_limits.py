"""Beyond which study scores an image is of another kind than those a network was trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from monai.bundle import ConfigParser

from caveat.reasons import StudyRefused

from .gate import DIRECTIONS, SIGN, Check, Limit, extremeness
from .of_one_run import OfOneRun, run_behind


@dataclass(frozen=True)
class KindSettings:
    """A bundle's kind.yaml, fixed before any image of another kind is looked at.

    Args:
        checks: scores that are nonnegative and free of the image's spacing, so that they compare images without one.
        margin: factor, at least 1: how far beyond the most extreme training unit a limit lies.

    Raises:
        ValueError: no checks, or a margin below 1.
    """

    checks: Sequence[Check]
    margin: float

    def __post_init__(self) -> None:
        if not self.checks or not self.margin >= 1:
            raise ValueError(f"limits need checks and a margin of at least 1, got {len(self.checks)} and {self.margin:g}")


@dataclass(frozen=True)
class KindLimits(OfOneRun):
    """Hard limits on study scores; shipped in `calibration/`, a file for each network.

    Args:
        limits: in the order of the checks.
        margin: see `KindSettings`.
        n: units that they were made of.
        weights_sha256, preprocessing_sha256: of the bundle that made the scores.
    """

    schema: ClassVar[str] = "caveat-kind-limits-1"
    what: ClassVar[str] = "the bundle's limits of the kind of image"
    pattern: ClassVar[str] = "kind_*.json"

    limits: tuple[Limit, ...]
    margin: float
    n: int
    weights_sha256: str
    preprocessing_sha256: str

    @property
    def file_name(self) -> str:
        """After the weights: a sampler with weights of its own has limits of its own."""
        return self.pattern.replace("*", self.weights_sha256[:8])

    def broken_by(self, scores: Mapping[str, float | None]) -> list[Limit]:
        """Limits that the scores lie beyond. A score that the study does not have is not looked at: one network has no spread
        of draws. One that is there and no number breaks its limit."""
        return [limit for limit in self.limits if limit.name in scores and not limit.passes(scores)]

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> KindLimits:
        """See `OfOneRun`."""
        limits = tuple(Limit(**limit) for limit in facts["limits"])
        return cls(**{**facts, "limits": limits})


def build_kind_limits(results: Sequence[Mapping[str, Any]], settings: KindSettings) -> KindLimits:
    """Limits of stored predictions: per check the most extreme unit, widened by the margin.

    No image of another kind is asked for: limits that such images chose would hold for those alone. Of n + 1 exchangeable images
    the new one is the most extreme of any of J scores with probability at most J / (n + 1); the margin is there because the
    units are those that the network has seen, whose scores are less extreme than a new image's.

    Args:
        results: `result.json` of units that trained the network or stopped its training; refused ones are left out.

    Raises:
        StudyRefused: GATE_SCORE_MISSING, no unit, or one that lacks a score; MIXED_PREDICTIONS, of several networks.
        ValueError: a negative score: a margin is a factor.
    """
    measured = [result for result in results if result["status"] == "OK"]
    if not measured:
        raise StudyRefused("GATE_SCORE_MISSING", "there is no measured study")
    run = run_behind(measured)
    scores = [result["study_scores"] for result in measured]
    sides = [(check.name, direction) for check in settings.checks for direction in DIRECTIONS[check.direction]]
    limits = tuple(Limit(name, direction, _threshold(scores, name, direction, settings.margin)) for name, direction in sides)
    return KindLimits(limits, settings.margin, len(measured), **run)


def read_kind_settings(path: Path) -> KindSettings:
    """Build what the entry `kind` of kind.yaml describes.

    Raises:
        StudyRefused: WRONG_USAGE, the bundle has no such file.
        TypeError: the entry is no `KindSettings`.
    """
    if not path.is_file():
        raise StudyRefused("WRONG_USAGE", f"the bundle has no {path.name}")
    parser = ConfigParser()
    parser.read_config(path)
    settings = parser.get_parsed_content("kind")
    if not isinstance(settings, KindSettings):
        raise TypeError(f"{path.name}: entry `kind` is {type(settings).__name__}, expected KindSettings")
    return settings


def _threshold(scores: Sequence[Mapping[str, float | None]], name: str, direction: str, margin: float) -> float:
    extremes = [extremeness(unit, name, direction) for unit in scores]
    missing = sum(map(math.isinf, extremes))
    if missing:
        raise StudyRefused("GATE_SCORE_MISSING", f"{name}: missing in {missing} of {len(scores)} units")
    extreme = SIGN[direction] * max(extremes)
    if extreme < 0:
        raise ValueError(f"{name} is negative: a margin is a factor")
    return extreme * margin if direction == "above" else extreme / margin
