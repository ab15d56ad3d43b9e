"""The distance as a share of the predicted size: the baseline that draws must beat, since it needs none."""

from __future__ import annotations

from dataclasses import dataclass

from ..case import Case
from .interval_score import IntervalScore


@dataclass(frozen=True)
class Size(IntervalScore):
    """|V - V'| / (V' + c).

    Args:
        offset: c > 0 in the measurement's unit.

    Raises:
        ValueError: an offset that is not above zero.
    """

    offset: float

    def __post_init__(self) -> None:
        if not self.offset > 0:
            raise ValueError(f"the offset must be above zero, got {self.offset}")

    def excess(self, case: Case, truth: float) -> tuple[float, float]:
        above = (truth - case.number) / (case.number + self.offset)
        return -above, above

    def bounds(self, case: Case, q_below: float, q_above: float) -> tuple[float, float]:
        width = case.number + self.offset
        return case.number - q_below * width, case.number + q_above * width

    @classmethod
    def example(cls) -> Size:
        """See `ConformityScore.example`."""
        return cls(0.1)
