"""What CV+ proves at worst: exact bounds in fractions, for whole numbers of units and folds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from .quantile import exact


def guaranteed_rank(n: int, networks: int, miss: Fraction | float) -> int | None:
    """Rank with a coverage of at least 1 - 2 miss and no further term: ceil((1 - miss)(n + K)); None where that is more than n.

    Args:
        n: units. networks: K. miss: of one end, as a fraction or as a person wrote it.

    Source: `worst_case` with this rank; Gasparin and Ramdas 2025.
    """
    index = math.ceil((1 - exact(miss)) * (n + networks))
    return index if index <= n else None


def guaranteed_units_needed(networks: int, miss: Fraction | float) -> int:
    """Fewest units for which `guaranteed_rank` is not None: K (1 / miss - 1)."""
    return math.ceil(networks * (1 / exact(miss) - 1))


def worst_case(rank: int, fold_sizes: Sequence[int], one_recipe: bool) -> Fraction:
    """Coverage proven for an interval of CV+ whose end is the `rank`-th smallest of n; below 0 it says nothing.

    A, for folds of any sizes and any training that does not see the own fold: 1 - 2 (n - k + K) / (n + K). A truth outside leaves
    at most n - k units as strange as it is; the folds' p-values, weighted by their size plus one, have a mean of at most
    (n - k + K) / (n + K) then, and a weighted mean of p-values is that small with at most twice the probability.

    B, where all folds are treated alike: 1 - (2 (n - k) + m) / (m (a + 1)) for each size m that `a` folds share: the tournament
    of the jackknife+ with the new unit in a fold of its own.

    Args:
        rank: k, from 1 to n. fold_sizes: units of each fold, of which n is the sum.
        one_recipe: all networks were trained by one recipe that does not depend on the fold's number, so that B holds too.

    Source: Barber, Candes, Ramdas and Tibshirani 2021, theorem 4; Vovk and Wang 2020 (means of p-values).
    """
    n, networks = sum(fold_sizes), len(fold_sizes)
    bounds = [1 - Fraction(2 * (n - rank + networks), n + networks)]
    if one_recipe:
        bounds += [1 - Fraction(2 * (n - rank) + m, m * (a + 1)) for m, a in Counter(fold_sizes).items() if m]
    return max(bounds)


def fold_units_needed(networks: int, miss: Fraction | float, ends: int, one_recipe: bool) -> int:
    """Fewest units, in folds as equal as can be, for which the rank exists and anything is proven.

    Args:
        miss: of both ends together, below 1/2: from there on nothing is proven, however many units there are.
        ends: 2 for two one-sided scores at half the miss rate each, else 1.

    Raises:
        ValueError: a miss rate of 1/2 or more.
    """
    if exact(miss) >= Fraction(1, 2):
        raise ValueError(f"CV+ proves nothing at a miss rate of {miss}")
    share = exact(miss) / ends
    n = math.ceil(1 / share) - 1
    while ends * (1 - worst_case(math.ceil((n + 1) * (1 - share)), _equal_folds(n, networks), one_recipe)) >= 1:
        n += 1
    return n


def _equal_folds(n: int, networks: int) -> list[int]:
    return [n // networks + (fold < n % networks) for fold in range(networks)]
