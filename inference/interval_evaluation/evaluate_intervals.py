"""From stored predictions, truths and records to everything `caveat evaluate` says of intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from ...transforms.data_list import read_list
from ..calibration.case import Case, Cases, first_line, one_per_unit, read_cases
from ..calibration.identity import identity_of
from ..calibration.point_record import PointRecord
from ..calibration.record import Record
from ..calibration.seen import Seen
from ..calibration.unit_case import UnitCase
from ..calibration.units import refuse_calibration_units
from ..calibration.valid_record import record_of_most
from ..evaluate import Truths
from .baselines import compare, units_of_record, with_score
from .figures import FIRST_LINE, groups_of, interval_figures, value_figures
from .methods import CALIBRATED, QUANTILES_OF_DRAWS, Method
from .power import power_table
from .resplits import resplits
from .settings import IntervalEvaluation


@dataclass(frozen=True)
class Source:
    """Where predictions and truths are.

    Args:
        predictions: folder that `caveat predict` wrote.
        data_list: MONAI's form. dataset_dir: what its paths are relative to.
        truths: reads the truth of an entry.
        seen: images that the bundle's networks have seen: of those no record promises anything.
    """

    predictions: Path
    data_list: Path
    dataset_dir: Path
    truths: Truths
    seen: Seen = field(default_factory=dict)

    def seen_among(self, cases: Sequence[UnitCase]) -> str:
        """Why records are not looked at on these studies, "" where no network has seen any."""
        images = {case.sha256 for case in cases} & set(self.seen)
        return f"UNITS_SEEN_IN_TRAINING: {len(images)} images" if images else ""

    def cases(self, split: str, settings: IntervalEvaluation, nothing_found: bool = False) -> Cases:
        """Every predicted study of a split. Args and raises: see `read_cases`."""
        where = (self.predictions, self.data_list, split, self.truths, self.dataset_dir)
        return read_cases(*where, settings.measurements, nothing_found)


def evaluate_intervals(source: Source, split: str, records: Sequence[Record], settings: IntervalEvaluation) -> dict[str, Any]:
    """Compute all figures of intervals.

    Args:
        split: that is evaluated, such as "test".
        records: that may hold for these predictions; without one only the draws' own quantiles are looked at.

    Returns:
        {levels, claims, confidence, split, left_out, measurements: one section each, see `section`}, ready for JSON.

    Raises:
        StudyRefused: of the predictions and the list as a whole, see `read_cases` and `section`; NOT_PREDICTED where no study
            has a case.
    """
    evaluated = source.cases(split, settings)
    if not evaluated.results:
        raise StudyRefused("NOT_PREDICTED", f"none of {len(evaluated.left_out)} images has a measurement and a truth")
    parts = read_list(source.data_list)
    unseen = settings.calibration_split
    calibration = source.cases(unseen, settings, nothing_found=True) if unseen in parts and unseen != split else None
    seen = source.seen_among([case for cases in evaluated.by_measurement.values() for case in cases])
    sections = [
        section(measurement.name, evaluated, calibration, () if seen else records, settings)
        for measurement in settings.measurements
        if any(case.value > 0 for case in evaluated.by_measurement[measurement.name])
    ]
    if seen:
        sections = [{**one, "no_record": seen} for one in sections]
    return {
        "levels": list(settings.levels),
        "claims": settings.claims,
        "confidence": settings.confidence,
        "plotted_level": settings.plotted_level,
        "split": split,
        "seed": settings.seed,
        "left_out": evaluated.left_out,
        "measurements": sections,
    }


def section(
    name: str, evaluated: Cases, calibration: Cases | None, records: Sequence[Record], settings: IntervalEvaluation
) -> dict[str, Any]:
    """Everything about one measurement.

    Raises:
        StudyRefused: UNITS_SEEN_IN_CALIBRATION where the record was made of an evaluated study or unit; WRONG_USAGE, see
            `calibration_units`.

    Returns:
        {measurement, unit, record: facts or None, no_record: why there is none, units, accepted, nothing_found: studies with
        a value of 0, which are in no figure; value: see `value_figures`;
        figures: rows {method, studies, gate, ...}, see `interval_figures`; power; baselines; resplits; rows: one a study}.
    """
    record, fits, reason = record_for(name, evaluated, records)
    cases = [case for case, fit in zip(evaluated.by_measurement[name], fits, strict=True) if fit]
    if record is not None:
        refuse_calibration_units(record, cases)
    first, rest = first_line(cases, choice_seed(record))
    chosen = {case.sha256 for case in first}
    calibrated = Method(CALIBRATED, record)
    methods = [calibrated] if record else []
    pool = calibration_units(name, record, calibration, evaluated)
    units = units_of_record(record, pool) if record and pool else None
    if record and units:
        methods += [Method(called, with_score(record, score, units)) for called, score in settings.baselines.items()]
    out = {
        "measurement": name,
        "unit": evaluated.units[name],
        "record": facts_of(record) if record else None,
        "no_record": reason,
        "units": len(first),
        "nothing_found": len(cases) - len(first) - len(rest),
        "accepted": sum(calibrated.accepts(case) for case in first),
        "value": value_figures(first, calibrated, settings),
        "figures": all_figures([*methods, Method(QUANTILES_OF_DRAWS)], calibrated, first, rest, settings),
        "power": [],
        "baselines": [],
        "resplits": [],
        "rows": [row_of(case, calibrated, case.sha256 in chosen, settings) for case in cases],
    }
    if record:
        kept = [case for case in first if calibrated.accepts(case)]
        out["power"] = power_table(calibrated, kept, settings)
        out["baselines"] = [
            {"studies": FIRST_LINE, "gate": gate, **compare(calibrated, other, compared, level, settings)}
            for gate, compared in ((False, first), (True, kept))
            for other in methods[1:]
            for level in settings.levels
        ]
        if pool and record.networks is None:  # units that a network has seen are no pool to divide anew
            served = [case for case in first if calibrated.ends(case, min(settings.levels)) is not None]
            out["resplits"] = resplits(record, [*pool, *served], len(pool), settings)
    return out


def all_figures(
    methods: Sequence[Method], calibrated: Method, first: Sequence[Case], rest: Sequence[Case], settings: IntervalEvaluation
) -> list[dict[str, Any]]:
    """Figures of every method, group of studies and level; "gate" says whether only accepted studies are in them.

    The groups inside the first line are looked at for the record alone: they are small. A record with a gate promises its
    level of one study a unit among those that the gate accepts, and of nothing else.
    """
    gated = calibrated.record is not None and calibrated.record.gate is not None
    out = []
    for group, cases in groups_of(first, rest).items():
        accepted = [case for case in cases if calibrated.accepts(case)]
        for method in methods:
            if group != FIRST_LINE and method is not calibrated:
                continue
            for gate, chosen in ((False, cases), (True, accepted)):
                about = {"method": method.name, "studies": group, "gate": gate, "of": len(cases)}
                promised = group == FIRST_LINE and (gate or not gated)
                out += [about | interval_figures(method, chosen, level, settings, promised) for level in settings.levels]
    return out


def record_for(name: str, evaluated: Cases, records: Sequence[Record]) -> tuple[Record | None, list[bool], str | None]:
    """The record of a measurement that holds for most of the studies, see `record_of_most`."""
    own = [record for record in records if record.measurement == name]
    stated = [next(entry for entry in result["measurements"] if entry["name"] == name) for result in evaluated.results]
    results = zip(evaluated.results, stated, strict=True)
    return record_of_most(own, [identity_of(result, result["bundle"], entry) for result, entry in results])


def choice_seed(record: Record | PointRecord | None) -> int:
    """Seed of the choice of one study a unit: the record's own, so that both sides of the promise choose alike."""
    return int(record.provenance.get("seed", 0)) if record else 0


def calibration_units(name: str, record: Record | None, calibration: Cases | None, evaluated: Cases) -> list[Case]:
    """One case of each calibration unit, of the record's own run; empty where they were not predicted.

    Raises:
        StudyRefused: WRONG_USAGE where a unit is on both sides.
    """
    if record is None or calibration is None:
        return []
    found, fits, _ = record_for(name, calibration, [record])
    if found is None:
        return []
    cases = [case for case, fit in zip(calibration.by_measurement[name], fits, strict=True) if fit]
    shared = {case.unit for case in cases} & {case.unit for case in evaluated.by_measurement[name]}
    if shared:
        raise StudyRefused("WRONG_USAGE", f"{len(shared)} units are in the calibration part and in the evaluated one")
    choose = first_line if record.networks is None else one_per_unit  # as `calibrate` chose
    return choose(cases, choice_seed(record))[0]


def facts_of(record: Record) -> dict[str, Any]:
    """What a table says of its record."""
    return {
        "checksum": record.checksum,
        "n": record.n,
        "unit": record.unit,
        "score": record.score.to_json(),
        "sides": record.sides,
        "networks": record.networks,
        "proven": {str(level): min(part.proven(level, record.sides) for part in record.classes) for level in record.levels},
        "classes": [{"up_to": kind.up_to, "n": kind.n} for kind in record.classes],
        "joint_bound": record.gate.joint_bound if record.gate else None,
    }


def row_of(case: Case, method: Method, first: bool, settings: IntervalEvaluation) -> dict[str, Any]:
    """One study: value, truth, and the interval at each level."""
    intervals: list[Mapping[str, float]] = []
    for level in settings.levels if method.record else ():
        ends = method.ends(case, level)
        if ends is not None:
            intervals.append({"level": level, "lower": ends[0], "upper": ends[1]})
    about = {"study": case.study, "unit": case.unit, "stratum": case.stratum, "first": first}
    return about | {"accepted": method.accepts(case), "value": case.value, "truth": case.truth, "intervals": intervals}
