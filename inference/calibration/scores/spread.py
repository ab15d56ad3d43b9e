"""The distance in standard deviations of the draws: studies whose draws scatter get wider intervals."""

from __future__ import annotations

from dataclasses import dataclass

from ..case import Case
from ..features import standard_deviation
from .scaled import Scaled


@dataclass(frozen=True)
class Spread(Scaled):
    """|V - V'| / (s + gamma), s the draws' standard deviation (Papadopoulos et al. 2008; Lei et al. 2018, section 5.2).

    Args:
        gamma: > 0 in the measurement's unit, such as 5 % of a usual value: without it a study whose draws agree by chance
            would decide the quantile.

    Raises:
        ValueError: gamma is not above zero.
    """

    gamma: float

    def __post_init__(self) -> None:
        if not self.gamma > 0:
            raise ValueError(f"gamma must be above zero, got {self.gamma}")

    @property
    def needs_draws(self) -> bool:
        return True

    @property
    def width_from(self) -> str:
        return "the spread of the draws"

    def width_of(self, case: Case) -> float:
        return standard_deviation(case.numbers) + self.gamma

    @classmethod
    def example(cls) -> Spread:
        """See `ConformityScore.example`."""
        return cls(0.2)
