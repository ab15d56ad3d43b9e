"""The ratio of truth and prediction: a half-width that grows with the size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from ..case import Case
from ..features import log_from_zero
from .interval_score import IntervalScore


@dataclass(frozen=True)
class Log(IntervalScore):
    """|ln(V + c) - ln(V' + c)|.

    Args:
        offset: c > 0 in the measurement's unit, such as a few voxels: far below it, distance counts and not the ratio.

    Raises:
        ValueError: an offset that is not above zero.
    """

    of_ratios: ClassVar[bool] = True
    offset: float

    def __post_init__(self) -> None:
        if not self.offset > 0:
            raise ValueError(f"the offset must be above zero, got {self.offset}")

    @property
    def width_from(self) -> str:
        return "the value"

    def excess(self, case: Case, truth: float) -> tuple[float, float]:
        above = log_from_zero(truth + self.offset) - math.log(case.number + self.offset)
        return -above, above

    def bounds(self, case: Case, q_below: float, q_above: float) -> tuple[float, float]:
        centre = case.number + self.offset
        return centre * math.exp(-q_below) - self.offset, centre * math.exp(q_above) - self.offset

    @classmethod
    def example(cls) -> Log:
        """See `ConformityScore.example`."""
        return cls(0.1)
