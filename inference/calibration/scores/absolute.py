"""The distance itself: the same half-width for every study."""

from __future__ import annotations

from dataclasses import dataclass

from ..case import Case
from .conformity_score import ConformityScore


@dataclass(frozen=True)
class Absolute(ConformityScore):
    """|V - V'|, in the measurement's unit."""

    def excess(self, case: Case, truth: float) -> tuple[float, float]:
        return case.value - truth, truth - case.value

    def ends(self, case: Case, q_below: float, q_above: float) -> tuple[float, float]:
        return case.value - q_below, case.value + q_above

    @classmethod
    def example(cls) -> Absolute:
        """See `ConformityScore.example`."""
        return cls()
