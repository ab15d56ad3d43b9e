"""How surely the check of coverage would notice a broken promise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..calibration.case import Case
from ..metrics.interval_coverage import coverage_band, power
from .methods import Method
from .settings import IntervalEvaluation

SHORTFALLS = (0.05, 0.1, 0.2, 0.3)
"""By which the true coverage is below its level."""


def power_table(method: Method, cases: Sequence[Case], settings: IntervalEvaluation) -> list[dict[str, Any]]:
    """Chance to notice, by level and by how many claims share one confidence.

    Args:
        method: with a record. cases: that are checked.

    Returns:
        entries {level, n, claims, fewest, noticed: [{true_coverage, chance}]}; claims: this level alone, all levels of one
        measurement, all levels of all measurements.
    """
    table = []
    for level in settings.levels:
        served = [case for case in cases if method.ends(case, level) is not None]
        for claims in sorted({1, len(settings.levels), settings.claims}) if served else ():
            fewest, _ = coverage_band(method.parts(served, level), settings.confidence, claims)
            table.append(power_row(level, len(served), claims, fewest))
    return table


def power_row(level: float, n: int, claims: int, fewest: int) -> dict[str, Any]:
    """Of one band. Args: n: studies that are checked. claims: that share the confidence. fewest: lower end of the band."""
    noticed = [
        {"true_coverage": round(level - less, 6), "chance": power(n, fewest, level - less)} for less in SHORTFALLS if level > less
    ]
    return {"level": level, "n": n, "claims": claims, "fewest": fewest, "noticed": noticed}
