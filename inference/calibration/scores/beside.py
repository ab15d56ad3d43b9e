"""The distance in units of what another measurement of the study says: `Beside`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from caveat.reasons import StudyRefused

from ..case import Case
from .scaled import Scaled


@dataclass(frozen=True)
class Beside(Scaled):
    """|V - V'| / (b + r V' + c), b the mean of another measurement's draws, such as the number of objects of odd shape.

    The distance is no ratio: a study whose b is large gets an interval that is wide by so much, not by a factor.

    Args:
        measurement: name of the other one, in the same unit.
        share: r, at least 0. least: c > 0 in the unit.

    Raises:
        ValueError: a share below zero, or a least that is not above it.
    """

    measurement: str
    share: float
    least: float

    def __post_init__(self) -> None:
        if not (self.share >= 0 and self.least > 0):
            raise ValueError(f"share and least must be at least and above zero, got {self.share} and {self.least}")

    @property
    def width_from(self) -> str:
        return f"{self.measurement} and the value"

    def width_of(self, case: Case) -> float:
        """Raises: StudyRefused: MISSING_STUDY_SCORE: the study lacks the other measurement."""
        draws = case.beside.get(self.measurement)
        if not draws:
            raise StudyRefused("MISSING_STUDY_SCORE", self.measurement)
        return math.fsum(draws) / len(draws) + self.share * case.number + self.least

    @classmethod
    def example(cls) -> Beside:
        """See `ConformityScore.example`."""
        return cls("other", 0.05, 0.5)
