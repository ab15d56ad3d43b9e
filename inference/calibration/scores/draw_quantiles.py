"""The distance from a band of the draws: conformalised quantiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..case import Case
from .interval_score import IntervalScore


@dataclass(frozen=True)
class DrawQuantiles(IntervalScore):
    """max(L - V, V - U), L and U two quantiles of the draws (Romano, Patterson and Candes 2019, equation 6).

    Scores are negative inside the band, and so may be the quantile: the band then shrinks. The pair is fixed, so that one
    record serves every level; coverage is right at each, and the pair that matches a level is sharpest there.

    Args:
        lower, upper: of the band, as shares of the draws, interpolated linearly (Hyndman and Fan's type 7).

    Raises:
        ValueError: not 0 <= lower < upper <= 1.
    """

    lower: float = 0.05
    upper: float = 0.95

    def __post_init__(self) -> None:
        if not 0 <= self.lower < self.upper <= 1:
            raise ValueError(f"a band lies between 0 and 1, got {self.lower} to {self.upper}")

    @property
    def needs_draws(self) -> bool:
        return True

    @property
    def width_from(self) -> str:
        return "the quantiles of the draws"

    def excess(self, case: Case, truth: float) -> tuple[float, float]:
        low, high = self._band(case)
        return low - truth, truth - high

    def bounds(self, case: Case, q_below: float, q_above: float) -> tuple[float, float]:
        low, high = self._band(case)
        return low - q_below, high + q_above

    def _band(self, case: Case) -> tuple[float, float]:
        low, high = np.interp((self.lower, self.upper), np.linspace(0, 1, len(case.numbers)), sorted(case.numbers)).tolist()
        return low, high

    @classmethod
    def example(cls) -> DrawQuantiles:
        """See `ConformityScore.example`."""
        return cls()
