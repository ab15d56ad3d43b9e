"""The distance itself: the same half-width for every study."""

from __future__ import annotations

from dataclasses import dataclass

from ..case import Case
from .interval_score import IntervalScore


@dataclass(frozen=True)
class Absolute(IntervalScore):
    """|V - V'|, in the measurement's unit."""

    @property
    def width_from(self) -> str:
        return "the record"

    def excess(self, case: Case, truth: float) -> tuple[float, float]:
        return case.number - truth, truth - case.number

    def bounds(self, case: Case, q_below: float, q_above: float) -> tuple[float, float]:
        return case.number - q_below, case.number + q_above

    @classmethod
    def example(cls) -> Absolute:
        """See `ConformityScore.example`."""
        return cls()
