"""Coverage, size and score of the regions of some studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..calibration.record import MARGINAL
from ..calibration.regions.interval import Interval
from ..calibration.regions.region import Region
from ..calibration.rows import Row
from ..calibration.sides import truth_of_case
from ..metrics.bootstrap import interval_of_mean
from ..metrics.crps import crps
from ..metrics.interval_coverage import coverage_band
from ..metrics.interval_score import interval_score
from ..metrics.rank_correlation import spearman
from ..metrics.terciles import TERCILES, terciles
from .methods import Method
from .settings import Coverage

FIRST_LINE = "one study a unit"
SECOND_LINE = "the units' other studies"
NAN = float("nan")
NO_BAND: Mapping[str, int | None] = {"fewest": None, "most": None}


def groups_of(first: Sequence[Row], rest: Sequence[Row]) -> dict[str, list[Row]]:
    """The studies that figures are computed of, by name; empty groups are left out.

    Args:
        first: one study of each unit. rest: the other studies of these units.

    Returns:
        both lines; the first line by thirds of the predicted size where it is of one measurement (the true size is not known when
        an interval is given), and by the stratum that the data list names.
    """
    groups = {FIRST_LINE: list(first), SECOND_LINE: list(rest)}
    if first and len(first[0]) == 1 and isinstance(first[0][0].value, float):
        third = terciles(np.array([row[0].number for row in first]))
        for number, name in enumerate(TERCILES):
            groups[f"{name} third by predicted size"] = [row for row, of in zip(first, third, strict=True) if of == number]
    for stratum in sorted({row[0].stratum for row in first} - {""}):
        groups[f"stratum {stratum}"] = [row for row in first if row[0].stratum == stratum]
    return {name: rows for name, rows in groups.items() if rows}


def figures_of(
    method: Method, rows: Sequence[Row], level: float, settings: Coverage, promise: str, promised: bool
) -> dict[str, Any]:
    """Figures of one method at one level.

    Args:
        rows: with truths.
        promise: what is counted: studies whose components all lie inside, or each component by itself.
        promised: whether a record's level is promised for such studies; there is no band where it is not.

    Returns:
        n: studies with regions, without: those the record cannot serve at this level; covered: how many hold the truth, coverage:
        their share, fewest and most: the band of the count, None where nothing is promised; mean_SIZE and median_SIZE over
        studies and components, see `Coverage.size`; infinite and zero: shares of such sizes; interval_score: mean, of a single
        measurement. Of several components components: {name, covered, coverage, mean_SIZE, fewest, most} each. Where each counts
        by itself coverage is their mean, with its bootstrap interval lower, upper over units; it has no count of its own and no
        band, since it mixes components of the same studies.
    """
    served = [(row, regions) for row in rows if (regions := method.regions(row, level)) is not None]
    out: dict[str, Any] = {"level": level, "n": len(served), "without": len(rows) - len(served)}
    names = ("coverage", f"mean_{settings.size}", f"median_{settings.size}", "infinite", "zero", "interval_score")
    if not served:
        return out | {"covered": 0, **NO_BAND, **dict.fromkeys((*names, "lower", "upper"), NAN), "components": []}
    kept = [row for row, _ in served]
    held = np.array([[region.contains(truth_of_case(case)) for case, region in zip(*both, strict=True)] for both in served])
    sizes = np.array([[size_of(region) for region in regions] for _, regions in served])
    apart = promise == MARGINAL and held.shape[1] > 1
    shares = np.asarray(held.mean(axis=1) if apart else held.all(axis=1))
    score = np.mean([comparison_score(row, regions, level) for row, regions in served])
    values = (shares.mean(), sizes.mean(), np.median(sizes), np.isinf(sizes).mean(), (sizes == 0).mean(), score)
    out |= dict(zip(names, map(float, values), strict=True)) | {"lower": NAN, "upper": NAN}
    bands = [
        band_of(method, kept, level, part, settings.confidence, settings.claims(promise)) if promised else NO_BAND
        for part in range(held.shape[1] if apart else 1)
    ]
    if not apart:
        parts = components_of(kept[0], held, sizes, [NO_BAND] * held.shape[1], settings.size) if held.shape[1] > 1 else []
        return out | {"covered": int(shares.sum()), **bands[0], "components": parts}
    units = [row[0].unit for row in kept]
    lower, upper = interval_of_mean(shares.tolist(), units, settings.confidence, settings.resamples, settings.seed)
    parts = components_of(kept[0], held, sizes, bands, settings.size)
    return out | {"covered": None, **NO_BAND, "lower": lower, "upper": upper, "components": parts}


def components_of(
    row: Row, held: np.ndarray, sizes: np.ndarray, bands: Sequence[Mapping[str, int | None]], size: str
) -> list[dict[str, Any]]:
    """Count and size of each component by itself. Args: row: that names them. held, sizes: (studies, components)."""
    columns = zip(row, held.T, sizes.T, bands, strict=True)
    return [
        {"name": case.name, "covered": int(own.sum()), "coverage": float(own.mean()), f"mean_{size}": float(large.mean())}
        | dict(band)
        for case, own, large, band in columns
    ]


def band_of(
    method: Method, rows: Sequence[Row], level: float, part: int, confidence: float, claims: int
) -> Mapping[str, int | None]:
    """The counts of one part that are no reason to doubt the record. Args: rows: that have regions. part: see `Method.parts`."""
    parts = method.parts(rows, level, part)
    return dict(zip(NO_BAND, coverage_band(parts, confidence, claims), strict=True)) if parts else NO_BAND


def size_of(region: Region) -> float:
    """See `Coverage.size`."""
    return 2 * region.radius if isinstance(region, Interval) else region.radius


def comparison_score(row: Row, regions: Sequence[Region], level: float) -> float:
    """The interval score of a single measurement; NaN of places, and of several measurements at once: none is known there."""
    if len(regions) > 1 or not isinstance(regions[0], Interval):
        return NAN
    lower, upper, truth = map(np.asarray, (regions[0].lower, regions[0].upper, truth_of_case(row[0])))
    return float(interval_score(lower, upper, truth, level))


def value_figures(rows: Sequence[Row], method: Method, settings: Coverage) -> dict[str, Any]:
    """Figures of one measurement's value and its draws. Args: rows: one a unit. method: whose width is ranked against the error.

    Returns:
        bias: mean error, with its bootstrap interval, in the measurement's unit; bias_share: mean of error over truth;
        mean_absolute_error; crps, crps_fair: means over studies; Spearman's rank correlation of the absolute error with the
        draws' standard deviation and with the interval's width at the plotted level.
    """
    cases = [case for (case,) in rows]
    truth = np.array([truth_of_case(case) for case in cases])
    error = np.array([case.number for case in cases]) - truth
    lower, upper = interval_of_mean(error, [case.unit for case in cases], settings.confidence, settings.resamples, settings.seed)
    sd = [float(np.std(case.numbers, ddof=1)) if len(case.numbers) > 1 else 0.0 for case in cases]
    regions = [method.regions(row, settings.plotted_level) for row in rows]
    served = [(size_of(found[0]), abs(off)) for found, off in zip(regions, error, strict=True) if found]
    return {
        "n": len(cases),
        "bias": float(error.mean()),
        "bias_lower": lower,
        "bias_upper": upper,
        "bias_share": float(np.mean(error / truth)) if truth.all() else NAN,
        "mean_absolute_error": float(np.abs(error).mean()),
        "crps": float(np.mean([crps(case.numbers, of) for case, of in zip(cases, truth, strict=True)])),
        "crps_fair": float(np.mean([crps(case.numbers, of, fair=True) for case, of in zip(cases, truth, strict=True)])),
        "spearman_error_sd_of_draws": spearman(np.abs(error), sd),
        "spearman_error_width": spearman([off for _, off in served], [width for width, _ in served]),
    }
