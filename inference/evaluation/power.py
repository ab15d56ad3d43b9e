"""How surely the check of coverage would notice a broken promise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..calibration.record import Record
from ..calibration.rows import Row
from ..metrics.interval_coverage import coverage_band, power
from .methods import Method
from .settings import Coverage

SHORTFALLS = (0.05, 0.1, 0.2, 0.3)
"""By which the true coverage is below its level."""


def power_table(record: Record, rows: Sequence[Row], settings: Coverage) -> list[dict[str, Any]]:
    """Chance that one count notices, by level and by how many claims share one confidence.

    Args:
        rows: that are checked.

    Returns:
        entries {level, n, claims, fewest, noticed: [{true_coverage, chance}]}; claims: this level alone, all levels, all claims
        of the promise. Of components that count each by itself the one whose band reaches lowest.
    """
    table, method = [], Method(record)
    for level in settings.levels:
        served = [row for row in rows if method.regions(row, level) is not None]
        parts = [method.parts(served, level, part) for part in range(len(record.strata))] if served else []
        for claims in sorted({1, len(settings.levels), settings.claims(record.promise)}) if served else ():
            fewest = min(coverage_band(one, settings.confidence, claims)[0] for one in parts)
            noticed = [
                {"true_coverage": round(level - less, 6), "chance": power(len(served), fewest, level - less)}
                for less in SHORTFALLS
                if level > less
            ]
            table.append({"level": level, "n": len(served), "claims": claims, "fewest": fewest, "noticed": noticed})
    return table
