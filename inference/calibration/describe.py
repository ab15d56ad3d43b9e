"""A record in a few numbers, for the eye."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from .case import Case
from .fold_class import FoldClass
from .record import Record
from .size_class import SizeClass


def describe(record: Record, cases: Sequence[Case]) -> list[dict[str, str]]:
    """One row for each size class.

    Args:
        cases: that the record was made of.

    Returns:
        cells by the column's title: per level the quantile in the score's unit (below / above where there are two), or, of a
        record of cross-validation, the coverage proven at worst; and the half-width in the measurement's unit: the median over
        the cases, of a one-sided bound its distance from the value.
    """
    return [
        _row(record, size_class, [case for case in cases if record.class_of(case) is size_class]) for size_class in record.classes
    ]


def _row(record: Record, size_class: SizeClass | FoldClass, cases: Sequence[Case]) -> dict[str, str]:
    size = "all" if math.isinf(size_class.up_to) and len(record.classes) == 1 else f"up to {size_class.up_to:.4g}"
    row = {
        "measurement": record.measurement,
        "predicted size": "larger" if math.isinf(size_class.up_to) and size != "all" else size,
        "n": str(size_class.n),
        "unit": record.unit,
        "score": type(record.score).__name__,
        "sides": record.sides,
    }
    for level in record.levels:
        if isinstance(size_class, FoldClass):
            row[f"proven at {100 * level:g} %"] = f"{100 * size_class.proven(level, record.sides):.3g} %"
        else:
            quantiles = [q for q in dict.fromkeys(size_class.quantiles(level, record.sides)) if math.isfinite(q)]
            row[f"q {100 * level:g} %"] = " / ".join(f"{q:.3g}" for q in quantiles)
        served = not size_class.why_not(level, record.sides, record.unit)
        half = statistics.median(half_width(record, case, level) for case in cases) if served else math.nan
        row[f"half-width {100 * level:g} %"] = f"{half:.3g} {record.measured_in}".strip() if served else "too few units"
    return row


def half_width(record: Record, case: Case, level: float) -> float:
    """Of a two-sided interval; of a one-sided bound its distance from the reported value."""
    lower, upper = record.interval(case, level)
    if record.sides == "upper":
        return upper - case.value
    return case.value - lower if record.sides == "lower" else (upper - lower) / 2
