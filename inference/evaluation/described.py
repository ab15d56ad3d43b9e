"""What is stated of a record, and of each study, beside the figures."""

from __future__ import annotations

from typing import Any

from caveat.reasons import StudyRefused

from ..calibration.case import Case
from ..calibration.record import Record
from ..calibration.regions.interval import Interval
from ..calibration.rows import Row
from ..calibration.sides import truth_of_case
from .methods import Method
from .settings import Coverage


def facts_of(record: Record) -> dict[str, Any]:
    """What a table says of its record; `proven` at worst of its strata."""
    every = [stratum for of_part in record.strata for stratum in of_part]
    return {
        "checksum": record.checksum,
        "n": record.n,
        "unit": record.unit,
        "score": record.score.to_json(),
        "sides": record.sides,
        "networks": record.networks,
        "proven": {str(level): min(stratum.proven(level, record.sides) for stratum in every) for level in record.levels},
        "strata": [[{"up_to": one.up_to, "n": one.n} for one in of_part] for of_part in record.strata],
        "stratified_by": record.stratified_by,
        "joint_bound": record.gate.joint_bound if record.gate else None,
    }


def row_of(row: Row, method: Method, first: bool, settings: Coverage) -> dict[str, Any]:
    """One study: of each component value, truth, excess where a record says how to measure it, and a measurement's intervals."""
    regions = [(level, method.regions(row, level)) for level in settings.levels if method.record]
    components = [
        {
            "value": case.value,
            "truth": case.truth,
            "excess": excess_or_none(method.record, case),
            "intervals": [
                {"level": level, "lower": region.lower, "upper": region.upper}
                for level, found in regions
                if found and isinstance(region := found[part], Interval)
            ],
        }
        for part, case in enumerate(row)
    ]
    about = {"study": row[0].study, "unit": row[0].unit, "stratum": row[0].stratum, "first": first}
    return about | {"accepted": method.accepts(row), "components": components}


def excess_or_none(record: Record | None, case: Case) -> tuple[float, ...] | None:
    """None without a record, or where the study lacks a score that its measure needs."""
    try:
        return None if record is None else record.score.excess(case, truth_of_case(case))
    except StudyRefused:
        return None
