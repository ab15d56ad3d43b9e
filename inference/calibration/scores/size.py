"""The distance as a share of the predicted size: the baseline that draws must beat, since it needs none."""

from __future__ import annotations

from dataclasses import dataclass

from ..case import Case
from .scaled import Scaled


@dataclass(frozen=True)
class Size(Scaled):
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

    @property
    def width_from(self) -> str:
        return "the value"

    def width_of(self, case: Case) -> float:
        return case.number + self.offset

    @classmethod
    def example(cls) -> Size:
        """See `ConformityScore.example`."""
        return cls(0.1)
