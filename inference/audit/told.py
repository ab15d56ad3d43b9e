"""What one study's result promised, and whether the truth lay inside: the cases of an audit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from caveat.reasons import StudyRefused

from ..calibration.apply_point_records import KEYS
from ..calibration.case import Case, read_cases
from ..calibration.point_case import PointCase, read_point_cases
from ..calibration.point_record import PointRecord
from ..calibration.point_settings import PointCalibration
from ..calibration.record import Record
from ..calibration.settings import Calibration
from ..calibration.units import refuse_calibration_units

AnyRecord = Record | PointRecord
EACH = "each measurement"
ALL_AT_ONCE = "all landmarks at once"


@dataclass(frozen=True)
class Told:
    """One promise of one study.

    Args:
        promise: which are taken together: `EACH`, or of landmarks "marginal" or "simultaneous".
        part: what is promised: a measurement, a landmark, `ALL_AT_ONCE`.
        record: whose promise it is; None where the interval was withheld. level: of it.
        group: number of the record's class that the study is in.
        covered: whether it holds the truth.
    """

    promise: str
    part: str
    record: AnyRecord | None = None
    level: float = 0.0
    group: int = 0
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
    settings: Calibration | PointCalibration,
    dataset_dir: Path,
    records: Mapping[str, AnyRecord],
) -> tuple[list[ToldStudy], list[dict[str, Any]]]:
    """Every predicted study of a part, in its order, and rows of what was left out. Args: records: by checksum.

    Raises:
        StudyRefused: WRONG_USAGE, UNITS_SEEN_IN_CALIBRATION; see `read_cases`.
    """
    if isinstance(settings, PointCalibration):
        points = read_point_cases(predictions, data_list, split, settings.truths, dataset_dir, settings.names)
        pairs = zip(points.cases, points.results, strict=True)
        return [ToldStudy(one.unit, one.sha256, list(_of_points(one, result, records))) for one, result in pairs], points.left_out
    cases = read_cases(predictions, data_list, split, settings.truths, dataset_dir, settings.measurements)
    studies = []
    for result, *own in zip(cases.results, *cases.by_measurement.values(), strict=True):
        stated = zip(own, result["measurements"], strict=True)
        studies.append(ToldStudy(own[0].unit, own[0].sha256, [_of_measurement(case, entry, records) for case, entry in stated]))
    return studies, cases.left_out


def _of_measurement(case: Case, entry: Mapping[str, Any], records: Mapping[str, AnyRecord]) -> Told:
    """Args: entry: of `measurements`, of the same study."""
    interval = entry["interval"]
    if interval is None:
        return Told(EACH, entry["name"])
    record = _record(interval, records)
    refuse_calibration_units(record, [case])
    lower, upper = record.interval(case, interval["level"])
    group = [size_class is record.class_of(case) for size_class in record.classes].index(True)
    return Told(EACH, entry["name"], record, interval["level"], group, bool(lower <= case.truth <= upper))


def _of_points(case: PointCase, result: Mapping[str, Any], records: Mapping[str, AnyRecord]) -> Iterator[Told]:
    """Each landmark, and all at once. One that the image does not show counts by the region it would have, as in the record."""
    for promise, key in KEYS.items():
        region = next((point[key] for point in result["points"] if point[key]), None)
        if region is None:
            yield Told(promise, promise)
            continue
        record, level = _record(region, records), region["level"]
        refuse_calibration_units(record, [case])
        inside = record.shape.scores(case) <= np.array(record.reaches(level))
        if promise == "simultaneous":
            yield Told(promise, ALL_AT_ONCE, record, level, covered=bool(inside.all()))
        else:
            landmarks = zip(record.names, inside.tolist(), strict=True)
            yield from (Told(promise, name, record, level, covered=held) for name, held in landmarks)


def _record(promise: Mapping[str, Any], records: Mapping[str, AnyRecord]) -> Any:
    """The record that made an interval or a region. Raises: StudyRefused: WRONG_USAGE where it is not there."""
    if promise["record"] not in records:
        raise StudyRefused("WRONG_USAGE", "the predictions' intervals are of another record: name it with --record")
    return records[promise["record"]]
