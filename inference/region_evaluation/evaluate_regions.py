"""From stored landmarks, truths and records to everything `caveat evaluate` says of regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from caveat.reasons import StudyRefused

from ...transforms.data_list import read_list
from ..calibration.case import one_per_unit
from ..calibration.identity import identity_of_points
from ..calibration.point_case import PointCase, PointCases, read_point_cases
from ..calibration.point_record import PROMISES, PointRecord
from ..calibration.units import is_made_of, refuse_calibration_units
from ..calibration.valid_record import record_of_most
from ..interval_evaluation.evaluate_intervals import Source, choice_seed
from .figures import region_figures, region_power
from .methods import Method
from .resplits import region_resplits
from .settings import RegionEvaluation


def evaluate_regions(
    source: Source, split: str, records: Sequence[PointRecord], settings: RegionEvaluation, stated: bool = False
) -> dict[str, Any]:
    """Compute all figures of regions.

    Args:
        split: that is evaluated, such as "test".
        records: that may hold for these predictions; without one only the studies' own covariances are looked at.
        stated: whether the user named the records, so that one which is no check of itself is an error, and not left aside.

    Returns:
        {levels, names, claims, confidence, plotted_level, split, seed, left_out, sections: one each of shape and promise, see
        `section`}, ready for JSON.

    Raises:
        StudyRefused: of the predictions and the list as a whole, see `read_point_cases`; NOT_PREDICTED where no study has a case;
            UNITS_SEEN_IN_CALIBRATION for a stated record.
    """
    evaluated = _cases(source, split, settings)
    if not evaluated.cases:
        raise StudyRefused("NOT_PREDICTED", f"none of {len(evaluated.left_out)} images has landmarks and a truth")
    unseen = settings.calibration_split
    calibration = _cases(source, unseen, settings) if unseen in read_list(source.data_list) and unseen != split else None
    seen = source.seen_among(evaluated.cases)
    sections = []
    for shape in settings.shapes:
        for promise in PROMISES:
            own = [record for record in records if (record.shape.kind, record.promise) == (shape, promise) and not seen]
            about = {"shape": shape, "promise": promise}
            found = section(promise, own, evaluated, calibration, settings, stated)
            sections.append(about | found | ({"no_record": seen} if seen else {}))
    return {
        "levels": list(settings.levels),
        "names": list(settings.names),
        "claims": {promise: settings.claims(promise) for promise in PROMISES},
        "confidence": settings.confidence,
        "plotted_level": settings.plotted_level,
        "split": split,
        "seed": settings.seed,
        "left_out": evaluated.left_out,
        "sections": sections,
    }


def section(
    promise: str,
    records: Sequence[PointRecord],
    evaluated: PointCases,
    calibration: PointCases | None,
    settings: RegionEvaluation,
    stated: bool,
) -> dict[str, Any]:
    """Everything about one shape and promise.

    Args:
        records: of both.

    Raises:
        StudyRefused: UNITS_SEEN_IN_CALIBRATION where a stated record was made of an evaluated study or unit.

    Returns:
        {record: facts or None, no_record: why there is none, units, others: studies of the same units, which are in no figure,
        accepted, outside: landmarks that the images of the units do not show; figures: rows {method, gate, ...}, see
        `region_figures`, where "gate" says whether only accepted studies are in them; power; resplits; rows: one a unit}.
    """
    record, cases, reason = record_for(records, evaluated, stated)
    first, others = one_per_unit(cases, choice_seed(record))
    calibrated = Method(promise, record)
    kept = [case for case in first if calibrated.accepts(case)]
    gated = record is not None and record.gate is not None
    groups = {False: first, True: kept} if gated else {False: first}
    methods = [calibrated, Method(promise)] if record else [calibrated]
    out = {
        "record": facts_of(record) if record else None,
        "no_record": reason,
        "units": len(first),
        "others": len(others),
        "accepted": len(kept),
        "outside": int(sum(case.outside.sum() for case in first)),
        "figures": [
            {"method": method.name, "gate": gate} | region_figures(method, chosen, level, settings, promised=gate is gated)
            for method in methods
            for gate, chosen in groups.items()
            for level in settings.levels
        ],
        "power": [],
        "resplits": [],
        "rows": [row_of(case, calibrated) for case in first],
    }
    if record is not None:
        pool = calibration_units(record, calibration)
        out["power"] = region_power(record, len(kept), settings)
        out["resplits"] = region_resplits(record, [*pool, *first], len(pool), settings) if pool else []
    return out


def record_for(
    records: Sequence[PointRecord], evaluated: PointCases, stated: bool
) -> tuple[PointRecord | None, list[PointCase], str | None]:
    """The record that holds for most of the studies, the studies it holds for, and why there is none.

    Raises:
        StudyRefused: UNITS_SEEN_IN_CALIBRATION, see `section`.
    """
    identities = [identity_of_points(result, result["bundle"]) for result in evaluated.results]
    record, fits, reason = record_of_most(records, identities)
    cases = [case for case, fit in zip(evaluated.cases, fits, strict=True) if fit]
    if record is not None:
        try:
            refuse_calibration_units(record, cases)
        except StudyRefused as refusal:
            if stated:
                raise
            return None, evaluated.cases, f"{refusal.code}: {refusal.found}"
    return record, cases, reason


def calibration_units(record: PointRecord, calibration: PointCases | None) -> list[PointCase]:
    """One case of each unit that the record was made of; empty where it was made of others, or these were not predicted alike."""
    if calibration is None or not calibration.cases:
        return []
    found, fits, _ = record_of_most([record], [identity_of_points(result, result["bundle"]) for result in calibration.results])
    if found is None:
        return []
    first, _ = one_per_unit([case for case, fit in zip(calibration.cases, fits, strict=True) if fit], choice_seed(record))
    return first if is_made_of(record, first) else []


def facts_of(record: PointRecord) -> dict[str, Any]:
    """What a table says of its record."""
    joint_bound = record.gate.joint_bound if record.gate else None
    return {"checksum": record.checksum, "n": record.n, "unit": record.unit, "joint_bound": joint_bound}


def row_of(case: PointCase, method: Method) -> dict[str, Any]:
    """One unit: each landmark's score, in mm or in the ellipse's own measure, None where no record says how to measure."""
    scores = None if method.record is None else method.record.shape.scores(case).tolist()
    return {"study": case.study, "unit": case.unit, "accepted": method.accepts(case), "scores": scores}


def _cases(source: Source, split: str, settings: RegionEvaluation) -> PointCases:
    return read_point_cases(source.predictions, source.data_list, split, source.truths, source.dataset_dir, settings.names)
