"""Means by stratum, such as the number of raters that marked a slice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .bootstrap import interval_of_mean


def raters_that_marked(raters: np.ndarray) -> int:
    """Number of raters with any structure. Args: raters: (M, *spatial), bool or integer labels, 0 the background."""
    return int(raters.reshape(len(raters), -1).any(axis=1).sum())


def means_by_stratum(
    values: Sequence[float], strata: Sequence[Any], units: Sequence[str], level: float = 0.95, resamples: int = 2000
) -> dict[Any, dict[str, float]]:
    """Mean in each stratum, with its interval by bootstrap over units.

    Args:
        values: (n,), one a study or slice; NaN where undefined.
        strata: (n,), hashable, such as (raters that marked, raters), which sort.
        units: (n,), such as patients.
        level, resamples: as in `interval_of_mean`.

    Returns:
        by stratum in their order: "mean", "lower", "upper" of the defined values (NaN without any); "n" defined,
        "undefined", "units" of the defined.

    Raises:
        ValueError: lengths differ, or a value is infinite.
    """
    rows = list(zip(values, strata, units, strict=True))
    return {
        stratum: _mean([(value, unit) for value, of, unit in rows if of == stratum], level, resamples)
        for stratum in sorted(set(strata))
    }


def _mean(pairs: Sequence[tuple[float, str]], level: float, resamples: int) -> dict[str, float]:
    """Mean of the defined values, its interval and counts. Args: pairs: value, unit. Raises: ValueError: one is infinite."""
    defined = [(value, unit) for value, unit in pairs if not np.isnan(value)]
    counts = {"n": len(defined), "undefined": len(pairs) - len(defined), "units": len({unit for _, unit in defined})}
    if not defined:
        return dict.fromkeys(("mean", "lower", "upper"), float("nan")) | counts
    values, units = zip(*defined, strict=True)
    lower, upper = interval_of_mean(values, units, level, resamples)
    return {"mean": float(np.mean(values)), "lower": lower, "upper": upper} | counts
