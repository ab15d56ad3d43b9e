"""Mondrian calibration: units divided by predicted size, so that coverage holds within each class."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .case import Case


def divide(cases: Sequence[Case], bounds: Sequence[float]) -> list[tuple[float, list[Case]]]:
    """Cases by class of the predicted value; never of the true one, which a new study does not have.

    The bounds alone decide. Classes are not merged where units are few: to which class a new study belongs would then hang on
    how many calibration units each has, and the study is not counted among those. A class with too few has no interval.

    Source: Vovk et al. 2005, section 4.5.

    Args:
        cases: with truths, one per unit.
        bounds: upper ends of all classes but the last, rising; empty for one class.

    Returns:
        upper end and cases of each class, rising; the last end is infinite.
    """
    ends = [*bounds, math.inf]
    groups: list[list[Case]] = [[] for _ in ends]
    for case in cases:
        groups[next(index for index, end in enumerate(ends) if case.value <= end)].append(case)
    return list(zip(ends, groups, strict=True))
