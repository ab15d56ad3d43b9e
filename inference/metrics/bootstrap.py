"""Interval of a mean by bootstrap over the unit of exchangeability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def interval_of_mean(
    values: Sequence[float], units: Sequence[str], level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of the mean of `values`, whole units drawn with replacement.

    Both eyes of a child come or stay away together. With few units the interval is too narrow; print their number beside it.

    Args:
        values: (n,), finite.
        units: (n,), what each value belongs to.
        level: 0.95 for the 2.5 % and 97.5 % points.
        resamples: number of bootstrap sets.
        seed: of the generator; the same seed gives the same interval.

    Returns:
        lower and upper end; NaN both where there are fewer than two units.

    Raises:
        ValueError: lengths differ or a value is not finite.

    Source: Efron and Tibshirani 1993, chapter 13; cluster bootstrap.
    """
    if len(values) != len(units) or not np.isfinite(values).all():
        raise ValueError(f"{len(values)} values, {len(units)} units, all finite expected")
    names, unit_of = np.unique(np.asarray(units), return_inverse=True)
    if len(names) < 2:
        return float("nan"), float("nan")
    sums, sizes = np.bincount(unit_of, weights=np.asarray(values, dtype=float)), np.bincount(unit_of)
    drawn = np.random.default_rng(seed).integers(len(names), size=(resamples, len(names)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    lower, upper = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(lower), float(upper)
