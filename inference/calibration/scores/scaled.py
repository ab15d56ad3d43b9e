"""Scaled: the distance in units of a width that each study has for itself."""

from __future__ import annotations

from abc import abstractmethod

from ..case import Case
from .interval_score import IntervalScore


class Scaled(IntervalScore):
    """|V - V'| / w, w above zero and known before the truth is."""

    @abstractmethod
    def width_of(self, case: Case) -> float:
        """w, in the measurement's unit."""

    def excess(self, case: Case, truth: float) -> tuple[float, float]:
        above = (truth - case.number) / self.width_of(case)
        return -above, above

    def bounds(self, case: Case, q_below: float, q_above: float) -> tuple[float, float]:
        width = self.width_of(case)
        return case.number - q_below * width, case.number + q_above * width
