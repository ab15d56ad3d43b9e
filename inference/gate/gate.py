"""Is this study like the calibration units? One-sided limits on study scores, under one joint false alarm rate.

Limits are order statistics of the calibration units. Of n + 1 exchangeable units the new one is among the r most
extreme of one score with probability at most r / (n + 1); by Bonferroni it fails any of J limits with probability at
most J r / (n + 1). That holds for every distribution of the scores and however they depend on each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from caveat.reasons import StudyRefused

from ...transforms.writers.result_json import six_digits

DIRECTIONS = {"above": ("above",), "below": ("below",), "both": ("below", "above")}
SIGN = {"above": 1.0, "below": -1.0}
Scores = Mapping[str, float | None]


@dataclass(frozen=True)
class Check:
    """A score to look at, and on which side of the calibration units it is suspicious.

    Args:
        name: of a study score.
        direction: "above", "below" or "both"; "both" counts as two checks in the joint rate.

    Raises:
        ValueError: another direction.
    """

    name: str
    direction: str

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise ValueError(f"a check looks {', '.join(DIRECTIONS)}, not {self.direction!r}")


@dataclass(frozen=True)
class Limit:
    """One side of a check: the score fails where it lies beyond `threshold` on the side `direction` ("above", "below")."""

    name: str
    direction: str
    threshold: float

    def passes(self, scores: Scores) -> bool:
        """Whether the score lies at the threshold or inside. A missing score, or one that is no number, does not."""
        return extremeness(scores, self.name, self.direction) <= SIGN[self.direction] * self.threshold


@dataclass(frozen=True)
class Verdict:
    """What the gate says of one study.

    Args:
        accepted: every limit is kept.
        checks: one mapping a limit: name, value (None where missing), threshold, direction, passed.
        n: calibration units behind the thresholds.
        joint_bound: how often at most a study exchangeable with them is not accepted.
    """

    accepted: bool
    checks: tuple[Mapping[str, Any], ...]
    n: int
    joint_bound: float

    def to_json(self) -> dict[str, Any]:
        """As it stands in `result.json` under `gate`."""
        return asdict(self) | {"checks": [dict(check) for check in self.checks]}


@dataclass(frozen=True)
class Gate:
    """Limits fitted on calibration units.

    Args:
        limits: in the order of the checks.
        false_alarm_rate: what was asked for, over all limits together.
        joint_bound: what is promised: J r / (n + 1); larger than `false_alarm_rate` where the units are too few for it.
        n: calibration units.
    """

    limits: tuple[Limit, ...]
    false_alarm_rate: float
    joint_bound: float
    n: int

    def judge(self, scores: Scores) -> Verdict:
        """Judge a new study by its `study_scores`."""
        checks = [
            {
                "name": limit.name,
                "value": _finite(scores.get(limit.name)),
                "threshold": limit.threshold,
                "direction": limit.direction,
                "passed": limit.passes(scores),
            }
            for limit in self.limits
        ]
        return Verdict(all(check["passed"] for check in checks), tuple(checks), self.n, self.joint_bound)

    def inside(self, scores: Sequence[Scores]) -> list[bool]:
        """Which of the units that the gate was fitted on a record may use, so that its intervals hold among accepted studies.

        The r most extreme units of every limit are out, the one at the threshold with them. That makes selection a
        symmetric function of the n + 1 units once the new one is accepted: then the r most extreme of n and of n + 1 are
        the same. Hence the new unit is exchangeable with those inside, and split conformal over them covers at its level
        given acceptance. Units tied at the threshold are inside together where the tie is wider than r.

        Args:
            scores: those given to `fit_gate`.
        """
        kept, rank = [True] * len(scores), rank_of(self.n, len(self.limits), self.false_alarm_rate)
        for limit in self.limits:
            values = [extremeness(unit, limit.name, limit.direction) for unit in scores]
            as_extreme = [sum(other >= value for other in values) for value in values]
            kept = [keep and count > rank for keep, count in zip(kept, as_extreme, strict=True)]
        return kept

    def to_json(self) -> dict[str, Any]:
        """As it stands on a record."""
        return asdict(self) | {"limits": [asdict(limit) for limit in self.limits]}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Gate:
        """The inverse of `to_json`."""
        return cls(**{**facts, "limits": tuple(Limit(**limit) for limit in facts["limits"])})


def fit_gate(scores: Sequence[Scores], checks: Sequence[Check], rate: float) -> Gate:
    """Limits such that an exchangeable study is rejected with probability at most `rate`, over all checks together.

    Where n is too small for that (rate (n + 1) < J) the most extreme unit is the limit, and `joint_bound` says what holds.

    Args:
        scores: `study_scores`, one mapping a calibration unit; by cross-validation those of the network that has not seen it.
        checks: at least one.
        rate: joint false alarm rate, in (0, 1).

    Raises:
        StudyRefused: GATE_SCORE_MISSING, so many units lack a score that no limit can be set on it.
        ValueError: no units or no checks.
    """
    sides = [(check.name, direction) for check in checks for direction in DIRECTIONS[check.direction]]
    n = len(scores)
    if not n or not sides:
        raise ValueError("a gate needs units and checks")
    rank = rank_of(n, len(sides), rate)
    limits = tuple(Limit(name, direction, _threshold(scores, name, direction, rank)) for name, direction in sides)
    return Gate(limits, rate, float(Fraction(len(sides) * rank, n + 1)), n)


def rank_of(n: int, sides: int, rate: float) -> int:
    """r = floor(rate (n + 1) / J) in exact fractions, at least 1. Args: sides: J, one-sided limits."""
    return max(1, math.floor(Fraction(str(rate)) * (n + 1) / sides))


def extremeness(scores: Scores, name: str, direction: str) -> float:
    """The score, larger is more suspicious; infinite where it is missing or no number. Rounded as `result.json` stores it."""
    value = _finite(scores.get(name))
    if value is None:
        return math.inf
    return SIGN[direction] * value


def _threshold(scores: Sequence[Scores], name: str, direction: str, rank: int) -> float:
    """The score of the `rank`-th most suspicious unit."""
    values = sorted((extremeness(unit, name, direction) for unit in scores), reverse=True)
    extreme = values[min(rank, len(values)) - 1]
    if not math.isfinite(extreme):
        missing = sum(map(math.isinf, values))
        raise StudyRefused("GATE_SCORE_MISSING", f"{name}: missing in {missing} of {len(values)} units")
    return SIGN[direction] * extreme


def _finite(value: float | None) -> float | None:
    """As `result.json` stores it, where thresholds come from: a study at its own threshold must not fail by a rounding."""
    return None if value is None else six_digits(float(value))
