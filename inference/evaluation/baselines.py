"""The record's conformity score against others, calibrated on the same units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..calibration.record import Record
from ..calibration.rows import Row
from ..calibration.scores.conformity_score import ConformityScore
from ..metrics.bootstrap import interval_of_mean
from .figures import FIRST_LINE, NAN, comparison_score
from .methods import Method, in_strata
from .settings import Coverage


def scored_units(record: Record, pool: Sequence[Row]) -> list[Row] | None:
    """The units whose scores the record holds. Args: pool: one study of each unit that it was made of.

    Returns:
        None where they are predicted otherwise: into other strata.
    """
    kept = list(pool)
    if record.gate is not None and record.networks is None:  # by cross-validation the gate only withholds
        inside = record.gate.inside([row[0].scores for row in pool])
        kept = [row for row, keep in zip(pool, inside, strict=True) if keep]
    for part, strata in enumerate(record.strata):
        found = Counter(number for number, _ in in_strata(record, part, kept))
        if [found[number] for number in range(len(strata))] != [stratum.n for stratum in strata]:
            return None
    return kept


def with_score(record: Record, score: ConformityScore, units: Sequence[Row]) -> Record:
    """The record as another conformity score would have made it. Args: units: of the record, with truths."""
    strata = []
    for part, of_part in enumerate(record.strata):
        numbered = in_strata(record, part, units)
        groups = [[row for of, row in numbered if of == number] for number in range(len(of_part))]
        strata.append(tuple(one.with_score(score, rows, record.sides) for one, rows in zip(of_part, groups, strict=True)))
    return replace(record, score=score, strata=tuple(strata))


def comparisons(
    ours: Method, others: Sequence[Method], sides: Mapping[bool, Sequence[Row]], settings: Coverage
) -> list[dict[str, Any]]:
    """Rows of `compare`. Args: sides: studies of the first line, by whether only accepted ones are in them."""
    return [
        {"studies": FIRST_LINE, "gate": gate, **compare(ours, other, rows, level, settings)}
        for gate, rows in sides.items()
        for other in others
        for level in settings.levels
    ]


def compare(ours: Method, other: Method, rows: Sequence[Row], level: float, settings: Coverage) -> dict[str, Any]:
    """Mean difference of the interval score on the same studies, with its bootstrap interval over units.

    Returns:
        {against, level, n, difference, lower, upper}: below zero where `ours` is better; NaN where an interval is infinite.
    """
    differences, units = [], []
    for row in rows:
        found = [method.regions(row, level) for method in (ours, other)]
        if None not in found:
            one, two = (comparison_score(row, regions, level) for regions in found if regions)
            differences.append(one - two)
            units.append(row[0].unit)
    out = {"against": other.name, "level": level, "n": len(units), "difference": NAN, "lower": NAN, "upper": NAN}
    if not units or not np.isfinite(differences).all():
        return out
    lower, upper = interval_of_mean(differences, units, settings.confidence, settings.resamples, settings.seed)
    return out | {"difference": float(np.mean(differences)), "lower": lower, "upper": upper}
