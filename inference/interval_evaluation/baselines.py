"""The record's conformity score against others, calibrated on the same units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..calibration.case import Case
from ..calibration.record import Record
from ..calibration.scores.conformity_score import ConformityScore
from ..calibration.units import is_made_of
from ..metrics.bootstrap import interval_of_mean
from ..metrics.interval_score import interval_score
from .methods import Method
from .settings import IntervalEvaluation


def units_of_record(record: Record, calibration: Sequence[Case]) -> list[Case] | None:
    """The calibration cases whose scores the record holds. Args: calibration: one a unit.

    Returns:
        None where these are not the units that the record was made of, or are predicted otherwise: into other size classes.
    """
    if not is_made_of(record, calibration):
        return None
    kept = list(calibration)
    if record.gate is not None and record.networks is None:  # by cross-validation the gate only withholds
        inside = record.gate.inside([case.scores for case in calibration])
        kept = [case for case, keep in zip(calibration, inside, strict=True) if keep]
    found = Counter(record.class_of(case).up_to for case in kept)
    return kept if found == Counter({kind.up_to: kind.n for kind in record.classes}) else None


def with_score(record: Record, score: ConformityScore, units: Sequence[Case]) -> Record:
    """The record as another conformity score would have made it. Args: units: of the record, with truths."""
    members = [[case for case in units if record.class_of(case) is size_class] for size_class in record.classes]
    parts = zip(record.classes, members, strict=True)
    classes = tuple(size_class.with_score(score, cases, record.sides) for size_class, cases in parts)
    return replace(record, score=score, classes=classes)


def compare(ours: Method, other: Method, cases: Sequence[Case], level: float, settings: IntervalEvaluation) -> dict[str, Any]:
    """Mean difference of the interval score on the same studies, with its bootstrap interval over units.

    Returns:
        {against, level, n, difference, lower, upper}: below zero where `ours` is better; NaN where an interval is infinite.
    """
    differences, units = [], []
    for case in cases:
        ends = [method.ends(case, level) for method in (ours, other)]
        if None not in ends:
            one, two = (float(interval_score(*pair, case.truth, level)) for pair in ends)
            differences.append(one - two)
            units.append(case.unit)
    out = {"against": other.name, "level": level, "n": len(units), "difference": float("nan")}
    if not units or not np.isfinite(differences).all():
        return out | {"lower": float("nan"), "upper": float("nan")}
    lower, upper = interval_of_mean(differences, units, settings.confidence, settings.resamples, settings.seed)
    return out | {"difference": float(np.mean(differences)), "lower": lower, "upper": upper}
