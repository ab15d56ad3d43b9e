"""Each study's own record: one set may hold studies of several, such as images with and without a known spacing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..calibration.case import Case
from ..calibration.identity import differences, identity_of
from ..calibration.record import Record
from ..interval_evaluation.methods import Method
from ..metrics.interval_score import interval_score


def cases_by_record(methods: Sequence[Method], cases: Sequence[Case]) -> list[tuple[Record, list[Case]]]:
    """The records that are used, in the order of the studies, each with its own cases; a case without one is in none."""
    groups: dict[int, tuple[Record, list[Case]]] = {}
    for method, case in zip(methods, cases, strict=True):
        if method.record is not None:
            groups.setdefault(id(method.record), (method.record, []))[1].append(case)
    return list(groups.values())


def record_for(index: int, result: Mapping[str, Any], records: Sequence[Record]) -> Record | None:
    """The record that is valid for a measurement of a result."""
    identity = identity_of(result, result["bundle"], result["measurements"][index])
    return next((record for record in records if not differences(record.identity, identity)), None)


def interval_row(method: Method, case: Case, level: float) -> dict[str, Any]:
    """The interval as if no gate stood before it, and whether the gate lets it pass. All None where the record gives none."""
    ends = None if method.record is None else method.ends(case, level)
    if ends is None:
        return dict.fromkeys(("lower", "upper", "interval_score", "covered", "accepted"))
    lower, upper = ends
    return {
        "lower": lower,
        "upper": upper,
        "interval_score": float(interval_score(lower, upper, case.truth, level)),
        "covered": lower <= case.truth <= upper,
        "accepted": method.accepts(case),
    }
