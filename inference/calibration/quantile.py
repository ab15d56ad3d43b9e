"""The finite-sample quantile of split conformal prediction, in exact fractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

ONE_SIDED_SCORES = {"two-sided": 1, "asymmetric": 2, "lower": 1, "upper": 1}
"""Sides that an interval can have, and how many scores share its miss rate.

"two-sided": one score, the larger of both excesses. "asymmetric": each end by a score of its own, at half the miss rate.
"lower": "at least", no upper end. "upper": "at most", no lower end.
"""


def exact(number: Fraction | float) -> Fraction:
    """The number that a person wrote: 0.1 is 1/10. In floats (9 + 1) (1 - 0.9) is above 1, and 10 units seem too few by one."""
    return number if isinstance(number, Fraction) else Fraction(str(number))


def miss_rate(level: float) -> Fraction:
    """Share of truths that may lie outside. Args: level: such as 0.9. Raises: ValueError: a level outside (0, 1)."""
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, got {level}")
    return 1 - exact(level)


def rank(n: int, miss: Fraction | float) -> int | None:
    """Which of n sorted scores is the quantile, from 1: ceil((n + 1)(1 - miss)); None where that is more than n.

    Source: Vovk, Gammerman and Shafer 2005; Lei et al. 2018, section 2.2.
    """
    index = math.ceil((n + 1) * (1 - exact(miss)))
    return index if index <= n else None


def units_needed(miss: Fraction | float, sides: str = "two-sided") -> int:
    """Fewest units for which `rank` is not None: ceil(1 / miss) - 1, with half the miss rate for two one-sided scores."""
    return math.ceil(ONE_SIDED_SCORES[sides] / exact(miss)) - 1


def quantile(scores: Sequence[float], miss: Fraction | float) -> float:
    """The score that at least a share 1 - miss of exchangeable units does not exceed.

    Args:
        scores: of the calibration units, in any order.
        miss: as a fraction, or as a person wrote it; `miss_rate(level)` gives it without rounding.

    Returns:
        the order statistic, infinite where there are too few units: never the largest score in its place.

    Raises:
        ValueError: a score that is no number.
    """
    if any(math.isnan(score) for score in scores):
        raise ValueError("a score is no number")
    index = rank(len(scores), miss)
    return math.inf if index is None else sorted(scores)[index - 1]


def spacings(n: int, level: float, sides: str) -> int:
    """How many of the n + 1 spacings between exchangeable scores lie inside a region.

    The rank of the quantile; of two one-sided scores of the same error with rank r each, 2 r - n - 1.

    Args:
        n: calibration units, enough for the level.

    Raises:
        ValueError: they are too few.
    """
    scores = ONE_SIDED_SCORES[sides]
    index = rank(n, miss_rate(level) / scores)
    if index is None:
        raise ValueError(f"{n} units are too few for {level:.0%}")
    return index if scores == 1 else 2 * index - n - 1
