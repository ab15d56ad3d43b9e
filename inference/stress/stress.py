"""What becomes of a bundle's answers when images are degraded: figures from stored predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from caveat.reasons import StudyRefused

from ..calibration.case import Case, Predicted, first_line, read_study_cases
from ..calibration.record import Record
from ..calibration.units import refuse_calibration_units
from ..evaluate import Truths
from ..interval_evaluation.evaluate_intervals import choice_seed
from ..interval_evaluation.methods import CALIBRATED, Method
from ..metrics.extent_error import extent_error
from ..metrics.interval_coverage import coverage_band
from ..metrics.overlap import dice
from ..stored_study import StoredStudy, map_files, read_map
from ..targets.target import Target
from .degraded import Degradation
from .own_records import cases_by_record, interval_row, record_for
from .stress_set import StressSet, source_of


@dataclass(frozen=True)
class StressSettings:
    """How stored predictions are judged.

    Args:
        truths: reads them; of several raters the first one is the truth.
        measurements: of the bundle.
        records: of the bundle, or the user's own; those of other weights or sampling are not used.
        level: of the intervals.
        confidence: of the band of the coverage, each set by itself: it is a yardstick, nothing is promised under shift.
    """

    truths: Truths
    measurements: Sequence[Target]
    records: Sequence[Record] = ()
    level: float = 0.9
    confidence: float = 0.95


@dataclass
class StressTable:
    """What was found.

    Args:
        source: bundle, sampling, level, confidence; sorted checksums of the records that were used, by measurement.
        rows: one per set, study and measurement: {corruption, strength, study, unit, measurement, measured_in, value, truth,
            dice, error (share of the truth, with sign), first (the one study of its unit that coverage is counted on), lower,
            upper, interval_score, covered, accepted, study_scores}; what only a record gives is None without one, and where
            nothing was found.
        bands: {(corruption, strength, measurement): fewest and most accepted units to be covered if nothing had shifted}.
        left_out: {corruption, strength, unit, code}.
    """

    source: dict[str, Any]
    rows: list[dict[str, Any]] = field(default_factory=list)
    bands: dict[tuple[str, float, str], tuple[int, int]] = field(default_factory=dict)
    left_out: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Scored:
    """One study of a set. Args: cases, dices: one per measurement. result: `result.json`."""

    cases: Sequence[Case]
    dices: Sequence[float]
    result: Mapping[str, Any]


def score_sets(sets: Mapping[Degradation, StressSet], split: str, settings: StressSettings) -> StressTable:
    """Score the predictions of every set.

    Args:
        sets: by what was done, `CLEAN` among them.
        split: the part of the lists.

    Raises:
        StudyRefused: MIXED_PREDICTIONS where sets were predicted by different weights or sampling; NOT_PREDICTED where no
            study of any set could be scored; UNITS_SEEN_IN_CALIBRATION.
    """
    table = StressTable({"level": settings.level, "confidence": settings.confidence, "records": {}})
    results: list[Mapping[str, Any]] = []
    for done, one in sets.items():
        about = {"corruption": done.corruption, "strength": done.strength}
        scored = []
        table.left_out += [about | {key: row[key] for key in ("unit", "code")} for row in one.refused]
        entries, predicted = one.read(split)
        for entry in entries:
            try:
                scored.append(score_study(entry, predicted, one.folder, settings))
            except StudyRefused as refusal:
                table.left_out.append(about | {"unit": entry["unit"], "code": refusal.code})
        results += [study.result for study in scored]
        for index, measurement in enumerate(settings.measurements):
            add_measurement(table, about, measurement.name, index, scored, settings)
    table.source |= source_of(results, table.left_out)
    return table


def score_study(
    entry: Mapping[str, Any],
    predicted: Predicted,
    dataset_dir: Path,
    settings: StressSettings,
) -> Scored:
    """One study of a set. Raises: StudyRefused: as `read_study_cases`."""
    cases = read_study_cases(entry, predicted, settings.truths, dataset_dir, settings.measurements)
    folder, result = predicted[entry["sha256"]]
    study = StoredStudy(folder.name, result, {"segmentation": read_map(map_files(folder)["segmentation"])[0]})
    truth = settings.truths.read(entry, dataset_dir, study)[0]
    masks = [
        [np.isin(labels, one.classes) for labels in (study.maps["segmentation"], truth.labels)] for one in settings.measurements
    ]
    return Scored(cases, [dice(found, true, truth.region) for found, true in masks], result)


def add_measurement(
    table: StressTable, about: Mapping[str, Any], name: str, index: int, scored: Sequence[Scored], settings: StressSettings
) -> None:
    """Add the rows of one measurement of one set, and the band of its coverage: each study is judged by its own record.

    Raises:
        StudyRefused: UNITS_SEEN_IN_CALIBRATION.
    """
    methods = [Method(CALIBRATED, record_for(index, study.result, settings.records)) for study in scored]
    cases = [study.cases[index] for study in scored]
    by_record = cases_by_record(methods, cases)
    for record, own in by_record:
        refuse_calibration_units(record, own)
        table.source["records"][name] = sorted({*table.source["records"].get(name, ()), record.checksum})
    first, _ = first_line(cases, choice_seed(by_record[0][0] if by_record else None))
    chosen = {case.sha256 for case in first}
    rows = []
    for study, case, method in zip(scored, cases, methods, strict=True):
        stated = study.result["measurements"][index]
        rows.append(
            {
                **about,
                "study": case.study,
                "unit": case.unit,
                "measurement": name,
                "measured_in": stated["unit"],
                "value": case.value,
                "truth": case.truth,
                "dice": study.dices[index],
                "error": extent_error(case.value, case.truth)["signed"],
                "first": case.sha256 in chosen,
                **interval_row(method, case, settings.level),
                "study_scores": dict(case.scores),
            }
        )
    table.rows += rows
    served = {row["study"] for row in rows if row["accepted"]}
    counted = {case.sha256 for case in first if case.study in served}
    parts = [
        part
        for record, own in by_record
        for part in Method(CALIBRATED, record).parts([case for case in own if case.sha256 in counted], settings.level)
    ]
    if parts:
        table.bands[about["corruption"], about["strength"], name] = coverage_band(parts, settings.confidence)
