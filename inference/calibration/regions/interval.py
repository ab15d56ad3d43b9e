"""An interval of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from .region import Region


@dataclass(frozen=True)
class Interval(Region):
    """From `lower` to `upper`, in the measurement's unit; either may be infinite."""

    kind: ClassVar[str] = "interval"
    size_name: ClassVar[str] = "width"
    lower: float
    upper: float

    def contains(self, truth: float) -> bool:
        return bool(self.lower <= truth <= self.upper)

    @property
    def radius(self) -> float:
        return (self.upper - self.lower) / 2

    def holding(self, value: float) -> Interval:
        return Interval(min(self.lower, value), max(self.upper, value))

    def within(self, at_most: float) -> Interval:
        return replace(
            self, lower=min(self.lower, at_most), upper=self.upper if math.isinf(self.upper) else min(self.upper, at_most)
        )

    def reaches(self, at_most: float) -> bool:
        return at_most <= self.upper < math.inf

    def to_json(self) -> dict[str, Any]:
        ends = {"lower": self.lower, "upper": self.upper}
        return {"kind": self.kind, **{name: end if math.isfinite(end) else None for name, end in ends.items()}}
