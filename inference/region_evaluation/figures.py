"""Coverage and size of the regions of some studies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..calibration.point_case import PointCase
from ..calibration.point_record import PointRecord
from ..calibration.quantile import miss_rate, rank
from ..interval_evaluation.power import power_row
from ..metrics.bootstrap import interval_of_mean
from ..metrics.interval_coverage import CheckedPart, coverage_band
from .methods import Method
from .settings import RegionEvaluation

NAN = float("nan")


def region_figures(
    method: Method, cases: Sequence[PointCase], level: float, settings: RegionEvaluation, promised: bool
) -> dict[str, Any]:
    """Figures of one method at one level.

    Args:
        cases: with truths, one a unit.
        promised: whether a record's level is promised for such cases; there is no band where it is not.

    Returns:
        n: studies with regions. mean_radius over studies and landmarks, mm, of discs as large. fewest and most: the band of each
        count that is promised, None where nothing is. Of a simultaneous promise covered: studies whose truths all lie inside,
        and coverage, their share. Of a marginal one landmarks: {name, covered, coverage, mean_radius} each; coverage, their mean,
        with its bootstrap interval lower, upper; it has no band, since it mixes landmarks of the same studies.
    """
    served = list(cases) if method.serves(level) else []
    n = len(served)
    out: dict[str, Any] = {"level": level, "n": n, "fewest": None, "most": None, "coverage": NAN, "mean_radius": NAN}
    if not n:
        return out | ({"covered": 0} if method.promise == "simultaneous" else {"lower": NAN, "upper": NAN, "landmarks": []})
    inside, radii = method.inside(served, level), method.radii(served, level)
    out["mean_radius"] = float(radii.mean())
    if promised and method.record is not None:
        part = checked_part(method.record, n, level)
        out["fewest"], out["most"] = coverage_band([part], settings.confidence, settings.claims(method.promise))
    if method.promise == "simultaneous":
        covered = int(inside.all(axis=1).sum())
        return out | {"covered": covered, "coverage": covered / n}
    shares, units = inside.mean(axis=1), [case.unit for case in served]
    lower, upper = interval_of_mean(shares, units, settings.confidence, settings.resamples, settings.seed)
    landmarks = [
        {"name": name, "covered": int(held.sum()), "coverage": float(held.mean()), "mean_radius": float(radius.mean())}
        for name, held, radius in zip(settings.names, inside.T, radii.T, strict=True)
    ]
    return out | {"coverage": float(shares.mean()), "lower": lower, "upper": upper, "landmarks": landmarks}


def region_power(record: PointRecord, n: int, settings: RegionEvaluation) -> list[dict[str, Any]]:
    """Chance that a count notices a broken promise, by level and by how many claims share one confidence.

    Args:
        n: studies that are checked.

    Returns:
        rows as of `power_row`; claims: this level alone, all levels, all claims of the promise.
    """
    every = sorted({1, len(settings.levels), settings.claims(record.promise)})
    return [
        power_row(level, n, claims, coverage_band([checked_part(record, n, level)], settings.confidence, claims)[0])
        for level in settings.levels
        if n and record.is_available(level)
        for claims in every
    ]


def checked_part(record: PointRecord, n: int, level: float) -> CheckedPart:
    """What a band is computed of. Args: n: studies that are checked. level: one that is available."""
    return CheckedPart(n, rank(record.n, miss_rate(level)), record.n)
