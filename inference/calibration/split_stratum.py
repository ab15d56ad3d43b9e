"""SplitStratum: sorted scores of calibration units, and the regions of split conformal prediction that they give."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scipy.stats import beta

from .quantile import miss_rate, quantile, rank, units_needed
from .regions.region import Region
from .rows import Row
from .scores.conformity_score import ConformityScore
from .sides import Columns, excess_of, scores_by_side
from .valid_record import Withheld, too_few

OF_RECORDS = (0.05, 0.95)
"""Quantiles of coverage over records: nine in ten lie between them."""


@dataclass(frozen=True)
class SplitStratum:
    """Sorted scores of the units whose stratifying number is at most `up_to` (and above the stratum before).

    Args:
        up_to: infinite for the last stratum.
        scores: "either" for two-sided regions; else "below", "above", or both.
    """

    up_to: float
    scores: Columns

    @property
    def n(self) -> int:
        """Units."""
        return len(next(iter(self.scores.values())))

    @classmethod
    def of(cls, up_to: float, excesses: Sequence[Sequence[float]], sides: str) -> SplitStratum:
        """Args: excesses: of each unit, one number an end, see `excess_of`. sides: see `quantile.ONE_SIDED_SCORES`."""
        columns = scores_by_side(excesses, sides)
        return cls(up_to, {name: tuple(sorted(values)) for name, values in columns.items()})

    @classmethod
    def of_rows(cls, up_to: float, rows: Sequence[Row], score: ConformityScore, sides: str) -> SplitStratum:
        """Args: rows: with truths, of all components that share the stratum."""
        return cls.of(up_to, [excess_of(score, row) for row in rows], sides)

    def with_score(self, score: ConformityScore, rows: Sequence[Row], sides: str) -> SplitStratum:
        """As another conformity score would have made it. Args: rows: its units, with truths."""
        return self.of_rows(self.up_to, rows, score, sides)

    def quantiles(self, level: float, sides: str) -> tuple[float, float]:
        """Largest excess below, and above, that a region holds. Infinite on a side that has no end, or has too few units."""
        miss = miss_rate(level)
        if sides == "two-sided":
            either = quantile(self.scores["either"], miss)
            return either, either
        share = miss / len(self.scores)
        q_below, q_above = (
            quantile(self.scores[name], share) if name in self.scores else math.inf for name in ("below", "above")
        )
        return q_below, q_above

    def regions(self, score: ConformityScore, row: Row, level: float, sides: str) -> list[Region] | None:
        """See `Record.regions`. Args: row: the components that share the stratum."""
        if self.why_not(level, sides, ""):
            return None
        reach = self.quantiles(level, sides)[: score.ends]
        return [score.region(case, reach) for case in row]

    def proven(self, level: float, sides: str) -> float:
        """Coverage at worst: the level itself; 0 where it is not available."""
        return 0.0 if self.why_not(level, sides, "") else level

    def own_coverage(self, level: float) -> tuple[float, float] | None:
        """Shares of further units between which the coverage of nine in ten such records lies, without ties among scores.

        None where two scores share the miss rate, or the level is not available.

        Source: Vovk 2012, proposition 2: the coverage of one record is beta distributed.
        """
        k = rank(self.n, miss_rate(level))
        if k is None or len(self.scores) > 1:
            return None
        low, high = beta.ppf(OF_RECORDS, k, self.n + 1 - k)
        return float(low), float(high)

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

    def with_guarantee(self) -> SplitStratum:
        """The same: what is promised is proven."""
        return self
