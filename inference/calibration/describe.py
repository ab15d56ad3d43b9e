"""A record in a few numbers, for the eye."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from .record import MARGINAL, SHAPES, SIZES, Record, Stratum
from .regions.interval import Interval
from .regions.region import Region, Value
from .rows import Row
from .split_stratum import SplitStratum

HALF_WIDTH = "half-width"


def describe(record: Record, rows: Sequence[Row]) -> list[dict[str, str]]:
    """One row for each stratum; of landmarks, which share all but their scores, one for all of them.

    Args:
        rows: studies that the record was made of.

    Returns:
        cells by the column's title: per level the quantile in the score's unit (below / above where there are two), or, of a
        record of cross-validation, the coverage proven at worst; and the half-width, or the radius of a region of places as a
        disc as large has it: the median over the studies, of a one-sided bound its distance from the value.
    """
    parts = [0] if len(record.names) > 1 else range(len(record.strata))
    return [_row(record, part, number, rows) for part in parts for number in range(len(record.strata[part]))]


def _row(record: Record, part: int, number: int, rows: Sequence[Row]) -> dict[str, str]:
    stratum = record.strata[part][number]
    own = [row for row in rows if record.stratum_of(*record.parts(row)[part]) == number]
    promise = {} if record.promise == MARGINAL and len(record.names) == 1 else {"promise": record.promise}
    row = {
        "target": record.title,
        **promise,
        "stratum": _stratum_in_words(record.strata[part], number),
        "n": str(stratum.n),
        "unit": record.unit,
        "score": type(record.score).__name__,
        "sides": record.sides,
    }
    size = HALF_WIDTH if record.score.kind in (Interval.kind, *SHAPES) else SIZES[record.score.kind]
    for level in record.levels:
        if not isinstance(stratum, SplitStratum):
            row[f"proven at {100 * level:g} %"] = f"{100 * stratum.proven(level, record.sides):.3g} %"
        elif len(record.strata) == 1:
            quantiles = [q for q in dict.fromkeys(stratum.quantiles(level, record.sides)) if math.isfinite(q)]
            row[f"q {100 * level:g} %"] = " / ".join(f"{q:.3g}" for q in quantiles)
        served = not stratum.why_not(level, record.sides, record.unit)
        half = half_width(record, own, level) if served else math.nan
        unit = "" if size != HALF_WIDTH else record.measured_in
        row[f"{size} {100 * level:g} %"] = f"{half:.3g} {unit}".strip() if served else "too few units"
    return row


def _stratum_in_words(strata: Sequence[Stratum], number: int) -> str:
    if len(strata) == 1:
        return "all"
    up_to = strata[number].up_to
    return "larger" if math.isinf(up_to) else f"up to {up_to:.4g}"


def half_width(record: Record, rows: Sequence[Row], level: float) -> float:
    """Median over studies and components; NaN for none."""
    found = [_half(record, case.value, region) for row in rows for case, region in zip(row, record.regions(row, level) or ())]
    return statistics.median(found) if found else math.nan


def _half(record: Record, value: Value, region: Region) -> float:
    """Of a two-sided region; of a one-sided bound its distance from the reported value."""
    if isinstance(region, Interval) and record.sides in ("upper", "lower"):
        return region.upper - float(value) if record.sides == "upper" else float(value) - region.lower
    return region.radius
