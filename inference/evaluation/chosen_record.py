"""Which record holds for the evaluated studies, and which units it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from caveat.reasons import StudyRefused

from ...transforms.study.data_list import read_list
from ..calibration.identity import differences, identity_of_target
from ..calibration.read_cases import Cases
from ..calibration.record import Record
from ..calibration.rows import Row, first_line, one_per_unit, rows_of
from ..calibration.units import is_made_of, refuse_calibration_units
from ..calibration.valid_record import record_of_most
from .methods import choice_seed
from .settings import Coverage
from .source import Source


def record_for(
    names: tuple[str, ...], evaluated: Cases, records: Sequence[Record], stated: bool
) -> tuple[Record | None, list[Row], str | None]:
    """The record that holds for most of the studies, the studies it holds for (all where there is none), and why there is none.

    Raises:
        StudyRefused: UNITS_SEEN_IN_CALIBRATION, see `section`.
    """
    every = rows_of(evaluated.by_name, names)
    record, fits, reason = record_of_most(records, identities_of(names, evaluated))
    rows = [row for row, fit in zip(every, fits, strict=True) if fit]
    if record is None:
        return None, rows, reason
    try:
        refuse_calibration_units(record, rows)
    except StudyRefused as refusal:
        if stated:
            raise
        return None, every, f"{refusal.code}: {refusal.found}"
    return record, rows, None


def identities_of(names: tuple[str, ...], cases: Cases) -> list[dict[str, Any]]:
    """Of each study, what a record of these components must be valid for."""
    return [identity_of_target(result, result["bundle"], names) for result in cases.results]


def calibration_cases(source: Source, split: str, records: Sequence[Record], settings: Coverage) -> Cases | None:
    """Every study of the part that records were made of, as `calibrate` read them; None where it is evaluated or not there."""
    by_fold = any(record.networks is not None for record in records)
    part = settings.calibration_split or ("training" if by_fold else "calibration")
    if not records or part == split or part not in read_list(source.data_list):
        return None
    return source.cases(part, settings.targets, nothing_found=by_fold)


def calibration_units(record: Record, calibration: Cases | None) -> list[Row]:
    """One study of each unit that the record was made of, of its own run; empty where it was made of others."""
    if calibration is None:
        return []
    stated = zip(rows_of(calibration.by_name, record.names), identities_of(record.names, calibration), strict=True)
    rows = [row for row, identity in stated if not differences(record.identity, identity)]
    choose = first_line if record.networks is None else one_per_unit  # as `calibrate` chose
    units, _ = choose(rows, choice_seed(record))
    return units if is_made_of(record, units) else []
