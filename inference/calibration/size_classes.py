"""Mondrian calibration: units divided by predicted size, so that coverage holds within each class."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .case import Case


def divide(cases: Sequence[Case], bounds: Sequence[float], needed: int) -> list[tuple[float, list[Case]]]:
    """Cases by class of the predicted value; never of the true one, which a new study does not have.

    Source: Vovk et al. 2005, section 4.5.

    Args:
        cases: with truths, one per unit.
        bounds: upper ends of all classes but the last, rising; empty for one class.
        needed: units that every class must have. The smallest class that lacks them joins its smaller neighbour, until none
            does, or one class is left.

    Returns:
        upper end and cases of each class, rising; the last end is infinite.
    """
    ends = [*bounds, math.inf]
    groups: list[list[Case]] = [[] for _ in ends]
    for case in cases:
        groups[next(index for index, end in enumerate(ends) if case.value <= end)].append(case)
    while len(groups) > 1 and min(map(len, groups)) < needed:
        small = min(range(len(groups)), key=lambda index: len(groups[index]))
        beside = [index for index in (small - 1, small + 1) if 0 <= index < len(groups)]
        first = min(small, min(beside, key=lambda index: len(groups[index])))
        groups[first : first + 2] = [groups[first] + groups[first + 1]]
        del ends[first]
    return list(zip(ends, groups, strict=True))
