"""What becomes of a bundle's answers when images are degraded: figures from stored predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from caveat.reasons import StudyRefused

from ..calibration.answers import entries_of
from ..calibration.read_cases import Predicted, Stated, read_study_cases
from ..calibration.record import MARGINAL, PROMISES, SIMULTANEOUS, Record
from ..calibration.regions.interval import Interval
from ..calibration.regions.region import Region
from ..calibration.rows import Row, first_line
from ..calibration.sides import truth_of_case
from ..calibration.units import refuse_calibration_units
from ..evaluation.figures import comparison_score, size_of
from ..evaluation.methods import Method, choice_seed
from ..gate.kind_of_image import OTHER_KIND
from ..stored.list_part import Truths
from ..stored.stored_study import map_files
from ..stored.stored_study import read_study as read_stored_study
from .degraded import Degradation
from .kinds import WITHIN_MM, Scored, scored_of, truths_of_sets
from .own_records import band_of, by_record, own_records
from .stress_set import StressSet, source_of

COVERED = {MARGINAL: "covered", SIMULTANEOUS: "all_covered"}
BANDS = {MARGINAL: "band", SIMULTANEOUS: "band_at_once"}
"""Entries of a row, and of a set, by the promise that they are of."""
OF_A_ROW = (
    *("value", "truth", "dice", "error", "within", "lower", "upper", "size", "interval_score"),
    *("covered", "all_covered", "accepted"),
)
"""Entries of a row that are None where they are not known."""


@dataclass(frozen=True)
class StressSettings:
    """How stored predictions are judged.

    Args:
        truths: reads them; of several raters the first one is the truth.
        targets: of the bundle.
        records: of the bundle, or the user's own, of landmarks of one kind of region; those of other weights or sampling are not
            used.
        level: of the regions.
        confidence: of the band of the coverage, each set by itself: it is a yardstick, nothing is promised under shift.
    """

    truths: Truths
    targets: Sequence[Stated]
    records: Sequence[Record] = ()
    level: float = 0.9
    confidence: float = 0.95

    @property
    def scored(self) -> list[Scored]:
        """See `scored_of`."""
        return scored_of(self.targets, self.records)


@dataclass
class StressTable:
    """What was found.

    Args:
        source: bundle, sampling, level, confidence, within_mm; sorted checksums of the records that were used, by target.
        rows: one per set, study and target (a measurement, all landmarks together, others at once): {corruption, strength, study,
            unit, target, measured_in; code (why it gets no answer: what refused it, also an image of another kind, which is
            measured all the same, or NOTHING_FOUND; "" where it gets one); value, truth, dice, error, within: see `kinds`; first
            (the one study of its unit that coverage is counted on); of its regions, as if no gate stood before them: lower,
            upper, size, interval_score, covered (share of the components whose truth they hold), all_covered (whether those of a
            simultaneous promise hold all); accepted (by the gates of its records; what is refused is not); study_scores}.
        bands: {(corruption, strength, target): {band, band_at_once}}, see `band_of`, of the accepted units.
        left_out: {corruption, strength, unit, code} of what could not be degraded, has no truth or nothing that was found.
    """

    source: dict[str, Any]
    rows: list[dict[str, Any]] = field(default_factory=list)
    bands: dict[tuple[str, float, str], dict[str, list[float]]] = field(default_factory=dict)
    left_out: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Study:
    """One study of a set.

    Args:
        about: study, unit and code of its rows.
        result: `result.json`; empty where it was refused, then rows and errors are empty too.
        rows, errors: by the name of what is scored.
    """

    about: Mapping[str, str]
    result: Mapping[str, Any] = field(default_factory=dict)
    rows: Mapping[str, Row] = field(default_factory=dict)
    errors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def score_sets(sets: Mapping[Degradation, StressSet], split: str, settings: StressSettings) -> StressTable:
    """Score the predictions of every set.

    Args:
        sets: by what was done, `CLEAN` among them.
        split: the part of the lists.

    Raises:
        StudyRefused: MIXED_PREDICTIONS where sets were predicted by different weights or sampling; NOT_PREDICTED where no
            study of any set could be scored; UNITS_SEEN_IN_CALIBRATION.
    """
    table = StressTable({"level": settings.level, "confidence": settings.confidence, "within_mm": WITHIN_MM, "records": {}})
    every: list[Study] = []
    for done, one in sets.items():
        about = {"corruption": done.corruption, "strength": done.strength}
        table.left_out += [about | {key: row[key] for key in ("unit", "code")} for row in one.refused]
        entries, predicted = one.read(split)
        studies = []
        for entry in entries:
            try:
                studies.append(read_study(entry, predicted, one.folder, settings))
            except StudyRefused as refusal:
                table.left_out.append(about | {"unit": entry["unit"], "code": refusal.code})
        for scored in settings.scored:
            add_rows(table, about, scored, studies, settings)
        every += studies
    refused = [study.about for study in every if not study.result]
    table.source |= source_of([study.result for study in every if study.result], [*table.left_out, *refused])
    return table


def read_study(entry: Mapping[str, Any], predicted: Predicted, dataset_dir: Path, settings: StressSettings) -> Study:
    """One study of a set, also one that was refused. Raises: StudyRefused: as `read_study_cases`."""
    folder, result = predicted.get(entry["sha256"], (Path(), {}))
    about = {"study": folder.name, "unit": entry["unit"], "code": ""}
    if result.get("status") == "REFUSED":
        return Study(about | {"code": result["reasons"][0]["code"]})
    truths = truths_of_sets(settings.truths)
    cases = read_study_cases(entry, predicted, truths, dataset_dir, settings.targets)
    drawings = None
    if "segmentation" in map_files(folder):
        study = read_stored_study(folder, result, ("segmentation",))
        drawings = study, truths.read(entry, dataset_dir, study)[0]
    by_name = {case.name: case for case in cases}
    every = settings.scored
    rows = {scored.name: tuple(by_name[name] for name in scored.names) for scored in every}
    errors = {scored.name: scored.errors(rows[scored.name], drawings) for scored in every}
    return Study(about | {"code": OTHER_KIND if OTHER_KIND in result["flags"] else ""}, result, rows, errors)


def add_rows(
    table: StressTable, about: Mapping[str, Any], scored: Scored, studies: Sequence[Study], settings: StressSettings
) -> None:
    """Add the rows of one target of a set, and the bands of its coverage: each study is judged by its own records.

    Raises:
        StudyRefused: UNITS_SEEN_IN_CALIBRATION.
    """
    rows = [study.rows.get(scored.name, ()) for study in studies]
    own = [own_records(scored.names, study.result, settings.records) for study in studies]
    used = by_record((record, row) for row, records in zip(rows, own, strict=True) for record in records.values())
    for record, judged in used:
        refuse_calibration_units(record, judged)
        table.source["records"][scored.name] = sorted({*table.source["records"].get(scored.name, ()), record.checksum})
    first, _ = first_line([row for row in rows if row], choice_seed(used[0][0] if used else None))
    chosen = {case.sha256 for case, *_ in first}
    counted: dict[str, list[tuple[Record, Row]]] = {promise: [] for promise in PROMISES}
    for study, row, records in zip(studies, rows, own, strict=True):
        is_first = bool(row) and row[0].sha256 in chosen
        facts = {**about, **row_of(study, row, records, scored, settings.level), "first": is_first}
        table.rows.append(facts)
        for promise, record in records.items():
            if is_first and facts["accepted"] and facts[COVERED[promise]] is not None:
                counted[promise].append((record, row))
    bands = {BANDS[promise]: band_of(pairs, settings.level, settings.confidence) for promise, pairs in counted.items()}
    table.bands[about["corruption"], about["strength"], scored.name] = bands


def row_of(study: Study, row: Row, records: Mapping[str, Record], scored: Scored, level: float) -> dict[str, Any]:
    """A row of `StressTable` without what was done. Args: row: empty where the study was refused. records: see `own_records`."""
    code = study.about["code"]
    out: dict[str, Any] = {**study.about, "target": scored.name, "measured_in": "", **dict.fromkeys(OF_A_ROW), "study_scores": {}}
    if code:
        out["accepted"] = False
    if not study.result:
        return out
    stated = entries_of(study.result, scored.names)[0]
    out |= {"measured_in": stated["unit"], **study.errors[scored.name], "study_scores": dict(row[0].scores)}
    if code or not all(case.counted for case in row):
        return out | {"code": code or "NOTHING_FOUND"}
    if records:
        out["accepted"] = all(Method(record).accepts(row) for record in records.values())
    for promise, record in records.items():
        regions = Method(record).regions(row, level)
        shown = [(case, region) for case, region in zip(row, regions or (), strict=bool(regions)) if case.found]
        if not shown:
            continue
        held = [region.contains(truth_of_case(case)) for case, region in shown]
        out[COVERED[promise]] = float(np.mean(held)) if promise == MARGINAL else all(held)
        if promise == MARGINAL:
            out |= about_regions(tuple(case for case, _ in shown), [region for _, region in shown], level)
    return out


def about_regions(row: Row, regions: Sequence[Region], level: float) -> dict[str, float]:
    """What a row says of the regions themselves: their mean size (width of an interval, else radius); ends and score of one."""
    of_one = {"interval_score": comparison_score(row, regions, level)}
    if isinstance(regions[0], Interval):
        of_one |= {"lower": regions[0].lower, "upper": regions[0].upper}
    return of_one | {"size": float(np.mean([size_of(region) for region in regions]))}
