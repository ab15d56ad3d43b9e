"""Mondrian calibration: units divided by a number that is known before the truth, so that coverage holds within each stratum."""

from __future__ import annotations

import math
from collections.abc import Sequence

from caveat.reasons import StudyRefused

from .case import Case
from .rows import Row

SIZE = "size"
"""Of the predicted size of a measurement."""


def stratifying_number(case: Case, by: str) -> float:
    """The predicted value, or a study score; never the true value, which a new study does not have.

    Args:
        by: `SIZE`, or the name of a study score.

    Raises:
        StudyRefused: MISSING_STUDY_SCORE.
    """
    if by == SIZE:
        return case.number
    score = case.scores.get(by)
    if score is None or not math.isfinite(score):
        raise StudyRefused("MISSING_STUDY_SCORE", by)
    return float(score)


def divide(rows: Sequence[Row], bounds: Sequence[float], by: str = SIZE) -> list[tuple[float, list[Row]]]:
    """Rows by stratum.

    The bounds alone decide. Strata are not merged where units are few: to which one a new study belongs would then hang on
    how many calibration units each has, and the study is not counted among those. A stratum with too few gives no region.

    Source: Vovk et al. 2005, section 4.5.

    Args:
        rows: with truths, one per unit.
        bounds: upper ends of all strata but the last, rising; empty for one stratum.
        by: see `stratifying_number`.

    Returns:
        upper end and rows of each stratum, rising; the last end is infinite.
    """
    ends = [*bounds, math.inf]
    groups: list[list[Row]] = [[] for _ in ends]
    for row in rows:
        number = stratifying_number(row[0], by) if bounds else 0.0
        groups[next(index for index, end in enumerate(ends) if number <= end)].append(row)
    return list(zip(ends, groups, strict=True))
