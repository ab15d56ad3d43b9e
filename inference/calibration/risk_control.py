"""The least strict threshold whose expected loss stays below a level, in exact fractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from .quantile import exact


def groups_needed(risk: Fraction | float, bound: Fraction | float) -> int:
    """Fewest exchangeable groups that can promise a risk: below it even losses of 0 do not do. ceil(bound / risk) - 1.

    Args:
        risk: largest expected loss, above 0.
        bound: largest loss that there can be.
    """
    return max(1, math.ceil(exact(bound) / exact(risk)) - 1)


def least_strict(losses: Sequence[Sequence[float]], risk: Fraction | float, bound: Fraction | float) -> int | None:
    """Conformal risk control: where (sum of losses + bound) / (n + 1) <= risk, from there on for all that is stricter.

    Over the n groups and a new one that is exchangeable with them the expected loss at this threshold is at most the risk.

    Args:
        losses: one row a group, each falling or level from lax to strict; a row of a fold is the mean of its units.
        risk: largest expected loss.
        bound: largest loss that there can be.

    Returns:
        the column, None where even the strictest does not do.

    Raises:
        ValueError: a loss that rises, or lies outside 0 to the bound.

    Source: Angelopoulos, Bates, Fisch, Lei and Schuster, ICLR 2024; with folds as groups Cohen, Park, Simeone and Shamai, ISIT
    2024.
    """
    table = np.asarray(losses, dtype=float)
    if (np.diff(table, axis=1) > 0).any() or table.min() < 0 or table.max() > bound:
        raise ValueError("losses must not rise with strictness, and lie between 0 and their bound")
    limit = exact(risk) * (len(table) + 1) - exact(bound)
    holds = [sum(map(Fraction, column)) <= limit for column in table.T.tolist()]
    strictest_that_fails = max((index for index, held in enumerate(holds) if not held), default=-1)
    return strictest_that_fails + 1 if strictest_that_fails + 1 < len(holds) else None
