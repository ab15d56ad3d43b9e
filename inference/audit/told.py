"""What one study's result promised, and whether the truth lay inside: the cases of an audit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from ..calibration.answers import entries_of
from ..calibration.apply_records import KEYS
from ..calibration.read_cases import read_cases
from ..calibration.record import MARGINAL, SIMULTANEOUS, Record
from ..calibration.rows import Row, rows_of
from ..calibration.settings import Calibration
from ..calibration.units import refuse_calibration_units

ALL_AT_ONCE = "all at once"


@dataclass(frozen=True)
class Told:
    """One promise of one study.

    Args:
        promise: which are taken together, see `record.PROMISES`.
        part: what is promised: a measurement, a landmark, `ALL_AT_ONCE`.
        record: whose promise it is; None where the region was withheld. level: of it.
        place: of what is promised in the record's strata, and the number of the stratum that the study is in.
        covered: whether it holds the truth.
    """

    promise: str
    part: str
    record: Record | None = None
    level: float = 0.0
    place: tuple[int, int] = (0, 0)
    covered: bool = False


@dataclass(frozen=True)
class ToldStudy:
    """A study with a truth. Args: unit: what is exchangeable. sha256: of the image. promises: all of its result's."""

    unit: str
    sha256: str
    promises: list[Told]


def read_told(
    predictions: Path,
    data_list: Path,
    split: str,
    settings: Calibration,
    dataset_dir: Path,
    records: Mapping[str, Record],
) -> tuple[list[ToldStudy], list[dict[str, Any]]]:
    """Every predicted study of a part, in its order, and rows of what was left out. Args: records: by checksum.

    Raises:
        StudyRefused: WRONG_USAGE, UNITS_SEEN_IN_CALIBRATION; see `read_cases`.
    """
    cases = read_cases(predictions, data_list, split, settings.truths, dataset_dir, settings.targets)
    rows = rows_of(cases.by_name, settings.names)
    studies = [
        ToldStudy(row[0].unit, row[0].sha256, list(_promises(row, result, settings, records)))
        for row, result in zip(rows, cases.results, strict=True)
    ]
    return studies, cases.left_out


def _promises(row: Row, result: Mapping[str, Any], settings: Calibration, records: Mapping[str, Record]) -> Iterator[Told]:
    """Of every target alone, and of those that are promised at once. A landmark that the image does not show counts by the region
    it would have, as in the record."""
    alone = [settings.names] if settings.of_landmarks else [(name,) for name in settings.names]
    for names in alone:
        yield from _of_target(names, MARGINAL, row, result, records)
    if SIMULTANEOUS in settings.promises:
        yield from _of_target(tuple(settings.at_once) or settings.names, SIMULTANEOUS, row, result, records)


def _of_target(
    names: Sequence[str], promise: str, row: Row, result: Mapping[str, Any], records: Mapping[str, Record]
) -> Iterator[Told]:
    own = tuple(case for case in row if case.name in names)
    stated = [entry.get(KEYS[promise]) for entry in entries_of(result, names)]
    region = next((one for one in stated if one), None)
    if region is None:
        yield Told(promise, names[0] if len(names) == 1 else promise)
        return
    record, level = _record(region, records), region["level"]
    refuse_calibration_units(record, [own])
    regions = record.regions(own, level) or []
    held = [one.contains(case.truth) for one, case in zip(regions, own, strict=True) if case.truth is not None]
    if promise == SIMULTANEOUS:
        yield Told(promise, ALL_AT_ONCE, record, level, (0, record.stratum_of(0, own)), all(held))
        return
    for (part, (case,)), covered in zip(record.parts(own), held, strict=True):
        yield Told(promise, case.name, record, level, (part, record.stratum_of(part, (case,))), covered)


def _record(promise: Mapping[str, Any], records: Mapping[str, Record]) -> Record:
    """The record that made a region. Raises: StudyRefused: WRONG_USAGE where it is not there."""
    if promise["record"] not in records:
        raise StudyRefused("WRONG_USAGE", "the predictions' intervals are of another record: name it with --record")
    return records[promise["record"]]
