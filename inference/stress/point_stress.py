"""What becomes of landmarks when images are degraded: figures from stored predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from caveat.reasons import StudyRefused

from ..calibration.case import Predicted, predicted_study
from ..calibration.identity import differences, identity_of_points
from ..calibration.point_case import point_case_of
from ..calibration.point_record import PointRecord
from ..calibration.units import refuse_calibration_units
from ..gate.kind_of_image import OTHER_KIND
from ..metrics.radial_error import detection_rate, radial_errors
from ..point_truths import PointTruths
from ..stored_study import StoredStudy
from .degraded import Degradation
from .stress_set import StressSet, source_of

WITHIN_MM = 2.5
"""Of the detection rate: the one that the work of which these experiments are reports."""
UNKNOWN = dict.fromkeys(("error", "within", "covered", "all_covered"))


@dataclass
class PointStressTable:
    """What was found.

    Args:
        source: bundle, sampling, within_mm.
        rows: one per set and study: {corruption, strength, study, unit, code (why it is refused, "" where it is not), error
            (mean radial error over the landmarks, mm; also of a study of another kind, which is refused outside such a run),
            within (share of the landmarks), accepted (by the gate; a refused study is not), covered (share of the truths in their
            `region`, of the landmarks that have one), all_covered (whether all that have a `simultaneous_region` lie in it),
            study_scores}; None where it is not known.
        left_out: {corruption, strength, unit, code} of what could not be degraded or has no truth.
    """

    source: dict[str, Any]
    rows: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)


def score_point_sets(
    sets: Mapping[Degradation, StressSet], split: str, truths: PointTruths, records: Sequence[PointRecord] = ()
) -> PointStressTable:
    """Score the landmarks of every set.

    Args:
        sets: by what was done, `CLEAN` among them.
        split: the part of the lists.
        truths: of the bundle; of several raters the first one is the truth. The sets have tables of their own.
        records: of the bundle, or the user's own. What they give stands in the predictions.

    Raises:
        StudyRefused: MIXED_PREDICTIONS where sets were predicted by different weights or sampling; NOT_PREDICTED where no
            study of any set could be scored; UNITS_SEEN_IN_CALIBRATION where a record that holds for a study was made of its
            unit.
    """
    beside = PointTruths(truths.raters[:1], truths.names)
    table, results = PointStressTable({"within_mm": WITHIN_MM}), []
    for done, one in sets.items():
        about = {"corruption": done.corruption, "strength": done.strength}
        table.left_out += [about | {key: row[key] for key in ("unit", "code")} for row in one.refused]
        entries, predicted = one.read(split)
        for entry in entries:
            try:
                row, result = score_point_study(entry, predicted, beside, one.folder)
            except StudyRefused as refusal:
                table.left_out.append(about | {"unit": entry["unit"], "code": refusal.code})
                continue
            table.rows.append(about | row)
            if result is not None:
                refuse_seen_unit(entry, result, records)
                results.append(result)
    table.source |= source_of(results, [*table.left_out, *(row for row in table.rows if row["code"])])
    return table


def score_point_study(
    entry: Mapping[str, Any], predicted: Predicted, truths: PointTruths, dataset_dir: Path
) -> tuple[dict[str, Any], Mapping[str, Any] | None]:
    """One study of a set.

    Returns:
        its row without what was done to it, see `PointStressTable`; its result, None where it was refused.

    Raises:
        StudyRefused: NOT_PREDICTED, NO_TRUTH, POINTS_INCOMPLETE, NO_PIXEL_SPACING.
    """
    folder, result = predicted.get(entry["sha256"], (Path(), {}))
    row = {"study": folder.name, "unit": entry["unit"]}
    if result.get("status") == "REFUSED":
        return row | {"code": result["reasons"][0]["code"], **UNKNOWN, "accepted": False, "study_scores": {}}, None
    folder, result = predicted_study(entry, predicted)
    truth = truths.read(entry, dataset_dir, StoredStudy(folder.name, result))[0].positions
    points = {point["name"]: point for point in result["points"]}
    if points.keys() != truth.keys():
        raise StudyRefused("NOT_PREDICTED", "the result has other landmarks than the bundle")
    errors = radial_errors([points[name]["value"] for name in truth], [*truth.values()])
    figures = {"error": float(errors.mean()), "within": detection_rate(errors, WITHIN_MM)}
    if OTHER_KIND in result["flags"]:
        stated = {"code": OTHER_KIND, "accepted": False, "covered": None, "all_covered": None}
    else:
        stated = {"code": "", "accepted": result["gate"]["accepted"] if result["gate"] else None, **covered(points, truth)}
    return row | figures | stated | {"study_scores": dict(result["study_scores"])}, result


def covered(points: Mapping[str, Mapping[str, Any]], truth: Mapping[str, np.ndarray]) -> dict[str, float | bool | None]:
    """Of the landmarks that have a region. Args: points: entries of a result. truth: (axes,), mm. Both by name."""
    alone, at_once = (
        [is_inside(points[name][key], points[name]["value"], place) for name, place in truth.items() if points[name][key]]
        for key in ("region", "simultaneous_region")
    )
    return {"covered": float(np.mean(alone)) if alone else None, "all_covered": all(at_once) if at_once else None}


def is_inside(region: Mapping[str, Any], value: Sequence[float], place: np.ndarray) -> bool:
    """Whether a place lies in a landmark's region as its result states it. Args: value, place: (axes,), mm."""
    away = np.subtract(place, value)
    if region["kind"] == "disc":
        return bool(np.linalg.norm(away) <= region["radius"])
    return bool(np.linalg.norm(np.array(region["directions"]) @ away / region["semi_axes"]) <= 1)


def refuse_seen_unit(entry: Mapping[str, Any], result: Mapping[str, Any], records: Sequence[PointRecord]) -> None:
    """Raises: StudyRefused: UNITS_SEEN_IN_CALIBRATION."""
    identity = identity_of_points(result, result["bundle"])
    case = point_case_of(result, unit=entry["unit"], sha256=entry["sha256"])
    for record in records:
        if not differences(record.identity, identity):
            refuse_calibration_units(record, [case])
