"""Another score, of a number that is whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..case import Case
from ..regions.whole_interval import WholeInterval
from .conformity_score import ConformityScore
from .fitted import Fitted
from .interval_score import IntervalScore


@dataclass(frozen=True)
class Whole(IntervalScore):
    """As the score it is made of; its intervals are said in whole numbers, see `WholeInterval`.

    Scores of counts have ties, and ties only add coverage.

    Args:
        score: of numbers.
    """

    score: IntervalScore

    @property
    def needs_draws(self) -> bool:
        return self.score.needs_draws

    @property
    def study_scores(self) -> frozenset[str]:
        return self.score.study_scores

    @property
    def width_from(self) -> str:
        return self.score.width_from

    def excess(self, case: Case, truth: float) -> tuple[float, float]:
        return self.score.excess(case, truth)

    def bounds(self, case: Case, q_below: float, q_above: float) -> tuple[float, float]:
        return self.score.bounds(case, q_below, q_above)

    def interval(self, lower: float, upper: float) -> WholeInterval:
        return WholeInterval(lower, upper)

    def fitted_to(self, identity: Mapping[str, Any], images: frozenset[str]) -> ConformityScore:
        fitted = self.score.fitted_to(identity, images)
        return Whole(fitted) if isinstance(fitted, IntervalScore) else self

    def to_json(self) -> dict[str, Any]:
        return {"name": type(self).__name__, "score": self.score.to_json()}

    @classmethod
    def with_parameters(cls, **parameters: Any) -> ConformityScore:
        inner = ConformityScore.from_json(parameters["score"])
        if not isinstance(inner, IntervalScore):
            raise ValueError("a score of places has no whole numbers")
        return cls(inner)

    @classmethod
    def example(cls) -> Whole:
        """See `ConformityScore.example`."""
        return cls(Fitted.example())
