"""SizeClass: sorted scores of calibration units, and the interval of split conformal prediction that they give."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .case import Case
from .quantile import miss_rate, quantile, units_needed
from .scores.conformity_score import ConformityScore
from .valid_record import Withheld, too_few


@dataclass(frozen=True)
class SizeClass:
    """Sorted scores of the units whose predicted value is at most `up_to` (and above the class before).

    Args:
        up_to: in the measurement's unit, infinite for the last class.
        scores: "either" for two-sided intervals; else "below", "above", or both.
    """

    up_to: float
    scores: Mapping[str, tuple[float, ...]]

    @property
    def n(self) -> int:
        """Units."""
        return len(next(iter(self.scores.values())))

    @classmethod
    def of(cls, up_to: float, excesses: Iterable[tuple[float, float]], sides: str) -> SizeClass:
        """Args: excesses: (below, above) of each unit. sides: see `quantile.ONE_SIDED_SCORES`."""
        below, above = zip(*found, strict=True) if (found := list(excesses)) else ((), ())
        return cls(up_to, {name: tuple(sorted(values)) for name, values in scores_by_side(below, above, sides).items()})

    def with_score(self, score: ConformityScore, cases: Sequence[Case], sides: str) -> SizeClass:
        """As another conformity score would have made it. Args: cases: its units, with truths."""
        return self.of(self.up_to, [score.excess(case, case.truth) for case in cases], sides)

    def quantiles(self, level: float, sides: str) -> tuple[float, float]:
        """Largest excess below, and above, that the interval holds. Infinite on a side that has no end, or has too few units."""
        miss = miss_rate(level)
        if sides == "two-sided":
            either = quantile(self.scores["either"], miss)
            return either, either
        share = miss / len(self.scores)
        q_below, q_above = (
            quantile(self.scores[name], share) if name in self.scores else math.inf for name in ("below", "above")
        )
        return q_below, q_above

    def interval(self, score: ConformityScore, case: Case, level: float, sides: str) -> tuple[float, float] | None:
        """See `Record.interval`."""
        return None if self.why_not(level, sides, "") else score.bounds(case, *self.quantiles(level, sides))

    def proven(self, level: float, sides: str) -> float:
        """Coverage at worst: the level itself; 0 where it is not available."""
        return 0.0 if self.why_not(level, sides, "") else level

    def why_not(self, level: float, sides: str, unit: str) -> Withheld | None:
        """Why the level is not available, None where it is. Args: unit: its name, for the sentence."""
        needed = units_needed(miss_rate(level), sides)
        return None if self.n >= needed else too_few(level, needed, unit, self.n)

    def to_json(self) -> dict[str, Any]:
        """As it stands on a record."""
        return {
            "up_to": self.up_to if math.isfinite(self.up_to) else None,
            "n": self.n,
            "scores": {name: list(scores) for name, scores in self.scores.items()},
        }

    def with_guarantee(self) -> SizeClass:
        """The same: what is promised is proven."""
        return self


def scores_by_side(below: Sequence[float], above: Sequence[float], sides: str) -> dict[str, Sequence[float]]:
    """What a class keeps of its units' excesses, in their order. Args: sides: see `quantile.ONE_SIDED_SCORES`."""
    kinds: dict[str, dict[str, Sequence[float]]] = {
        "two-sided": {"either": list(map(max, below, above))},
        "asymmetric": {"below": below, "above": above},
        "lower": {"below": below},
        "upper": {"above": above},
    }
    return kinds[sides]
