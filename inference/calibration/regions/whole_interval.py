"""An interval of whole numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .interval import Interval

ROUNDING = 1e-9
"""Share of an end by which exp and log may have moved it off a whole number."""


@dataclass(frozen=True)
class WholeInterval(Interval):
    """Of a number that is whole, such as a count: as said, the ends are the outermost whole numbers inside.

    The truth is whole, so nothing of what is held is lost; an interval that holds no whole number is said from the one below to
    the one above.
    """

    def holding(self, value: float) -> WholeInterval:
        return WholeInterval(min(self.lower, value), max(self.upper, value))

    def to_json(self) -> dict[str, Any]:
        slack = ROUNDING * max(abs(self.lower), 1.0)
        lower, upper = self.lower, self.upper
        if math.isfinite(lower):
            lower = float(math.ceil(lower - slack))
        if math.isfinite(upper):
            upper = float(math.floor(upper + ROUNDING * max(abs(upper), 1.0)))
        if lower > upper:
            lower, upper = upper, lower
        return Interval(lower, upper).to_json()
