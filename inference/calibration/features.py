"""Features of a case: the one place that turns a study into numbers that a width may be learned from."""

from __future__ import annotations

import math
from collections.abc import Sequence

from caveat.reasons import StudyRefused

from .case import Case

OF_THE_PREDICTION = ("log_value", "log_mean", "log_spread")
"""Features of value and draws; any other is a study score."""


def features_of(case: Case, names: Sequence[str], offset: float, floor: float) -> dict[str, float]:
    """Named features.

    Args:
        case: its truth is not looked at.
        names: "log_value", ln(V' + c) of the reported value; "log_mean", the same of the draws' mean; "log_spread",
            ln(s + f), s the standard deviation of ln(draw + c); else the name of a study score.
        offset: c > 0 in the measurement's unit. floor: f > 0, a share: draws that agree by chance say no more than this.

    Raises:
        StudyRefused: MISSING_STUDY_SCORE.
    """
    return {name: _feature(case, name, offset, floor) for name in names}


def log_from_zero(value: float) -> float:
    """Logarithm, minus infinity of 0: of an end of an interval that lies as far down as logarithms go."""
    return math.log(value) if value > 0 else -math.inf


def _feature(case: Case, name: str, offset: float, floor: float) -> float:
    if name == "log_value":
        return math.log(case.number + offset)
    if name == "log_mean":
        return math.log(math.fsum(case.numbers) / len(case.numbers) + offset)
    if name == "log_spread":
        return math.log(standard_deviation([math.log(draw + offset) for draw in case.numbers]) + floor)
    score = case.scores.get(name)
    if score is None or not math.isfinite(score):
        raise StudyRefused("MISSING_STUDY_SCORE", name)
    return float(score)


def standard_deviation(values: Sequence[float]) -> float:
    """Divided by K - 1, as `draws.sd` of a result; 0 for one draw, which says nothing of its spread."""
    if len(values) < 2:
        return 0.0
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
