"""The distance from a recentred prediction, in a width learned from several features of a study."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ..case import Case
from ..features import OF_THE_PREDICTION, features_of, log_from_zero
from .interval_score import IntervalScore

INTERCEPT = "intercept"
LARGEST_POWER = 700.0
"""exp of more is no float."""


@dataclass(frozen=True)
class Fitted(IntervalScore):
    """|ln(V + c) - m| / w, with m and ln w linear in features of the study: a bias is taken off, and the width adapts.

    In the measurement's unit both act as factors. The coefficients come from units outside calibration (`fit_location_scale`);
    they need not be right for the coverage to hold, only for the intervals to be narrow.

    Args:
        centre, log_width: coefficient by name of the feature (see `features_of`), and "intercept".
        offset: c > 0 in the measurement's unit, as in `Log`. floor: as in `features_of`.

    Raises:
        ValueError: an offset that is not above zero.
    """

    of_ratios: ClassVar[bool] = True
    centre: Mapping[str, float] = field(default_factory=dict)
    log_width: Mapping[str, float] = field(default_factory=dict)
    offset: float = 0.1
    floor: float = 0.01

    def __post_init__(self) -> None:
        if not self.offset > 0:
            raise ValueError(f"the offset must be above zero, got {self.offset}")

    @property
    def needs_draws(self) -> bool:
        return "log_spread" in {*self.centre, *self.log_width}

    @property
    def study_scores(self) -> frozenset[str]:
        return frozenset({*self.centre, *self.log_width} - {INTERCEPT, *OF_THE_PREDICTION})

    @property
    def width_from(self) -> str:
        names = [name.replace("_", " ") for name in self.log_width if name != INTERCEPT]
        return " and ".join(names) or "the record"

    def excess(self, case: Case, truth: float) -> tuple[float, float]:
        middle, width = self._location_scale(case)
        above = (log_from_zero(truth + self.offset) - middle) / width
        return -above, above

    def bounds(self, case: Case, q_below: float, q_above: float) -> tuple[float, float]:
        middle, width = self._location_scale(case)
        return _exp(middle - q_below * width) - self.offset, _exp(middle + q_above * width) - self.offset

    def _location_scale(self, case: Case) -> tuple[float, float]:
        return self._linear(self.centre, case), _exp(self._linear(self.log_width, case))

    def _linear(self, coefficients: Mapping[str, float], case: Case) -> float:
        names = [name for name in coefficients if name != INTERCEPT]
        values = features_of(case, names, self.offset, self.floor)
        return coefficients.get(INTERCEPT, 0.0) + math.fsum(coefficients[name] * values[name] for name in names)

    @classmethod
    def example(cls) -> Fitted:
        """See `ConformityScore.example`."""
        return cls({INTERCEPT: -0.02, "log_value": 1.01}, {INTERCEPT: -2.0, "log_spread": 0.5, "pooled_pairwise_dice": -1.0})


def _exp(power: float) -> float:
    """A study far outside everything known gets an interval without an upper end, not an overflow."""
    return math.exp(power) if power < LARGEST_POWER else math.inf
