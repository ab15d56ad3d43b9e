"""IntervalScore: conformity scores of numbers, which have two ends."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from ..case import Case
from ..regions.interval import Interval
from .conformity_score import ConformityScore


class IntervalScore(ConformityScore):
    """The truth lies in `bounds_of` a reach exactly where its excess below, and above, is at most that."""

    ends: ClassVar[int] = 2
    kind: ClassVar[str] = Interval.kind

    @abstractmethod
    def excess(self, case: Case, truth: float) -> tuple[float, float]:
        """How far the truth lies below, and above, what was predicted; negative on the other side."""

    @abstractmethod
    def bounds(self, case: Case, q_below: float, q_above: float) -> tuple[float, float]:
        """The truths whose excesses are at most these, as a range. Infinite for an infinite q."""

    def region(self, case: Case, reach: Sequence[float]) -> Interval:
        """In the measurement's unit.

        Ends that have crossed (scores may be negative) are both their midpoint. The lower one is at least 0: no structure is
        smaller, so the clip costs no coverage.
        """
        lower, upper = self.bounds(case, *reach)
        if lower > upper:
            lower = upper = (lower + upper) / 2
        return self.interval(max(lower, 0.0), max(upper, 0.0))

    def interval(self, lower: float, upper: float) -> Interval:
        """The region with these ends, of the score's kind."""
        return Interval(lower, upper)

    def about(self, case: Case, other: Case, reach: Sequence[float]) -> tuple[float, ...]:
        lower, upper = self.bounds(other, *reach)
        return self.excess(case, lower)[0], self.excess(case, upper)[1]
