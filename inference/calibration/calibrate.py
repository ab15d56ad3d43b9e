"""From stored predictions and truths of units that no network has seen to records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from caveat.reasons import StudyRefused

from ..gate.gate import Gate, fit_gate
from .calibration_part import refuse_broken, refuse_own_fold, refuse_seen, source_of
from .case import Case, Cases, first_line, one_per_unit, preparation_of, read_cases
from .fold_class import FoldClass
from .identity import identity_of, of_any_unit, one_identity
from .point_settings import PointCalibration
from .record import Record
from .scores.conformity_score import ConformityScore
from .seen import Seen
from .settings import Calibration
from .size_class import SizeClass
from .size_classes import divide
from .unit_case import UnitCase
from .units import describe_units
from .whose_truth import UNSTATED

AnyCase = TypeVar("AnyCase", bound=UnitCase)
NOTHING_SEEN: Seen = {}


@dataclass(frozen=True)
class Calibrated:
    """A record, and the cases that it was made of: one per unit, accepted by its gate."""

    record: Record
    cases: list[Case]


def calibrate(
    predictions: Path,
    data_list: Path,
    split: str,
    settings: Calibration,
    dataset_dir: Path,
    seen: Seen = NOTHING_SEEN,
    truth: str = UNSTATED,
) -> list[Calibrated]:
    """One record per measurement, and per preparation where the bundle tells several apart.

    Args:
        predictions: folder that `caveat predict` wrote.
        data_list: MONAI's form. split: a part of it.
        dataset_dir: what the list's paths are relative to.
        seen: images that the networks have seen.
        truth: whose the labels are, see `truth_of`.

    Raises:
        StudyRefused: UNITS_SEEN_IN_TRAINING, TOO_FEW_UNITS, MIXED_PREDICTIONS, DUPLICATE_PREDICTION, RECORD_MISMATCH,
            GATE_SCORE_MISSING, MISSING_STUDY_SCORE, WRONG_USAGE; of any unit those of `MUST_BE_MENDED`.
    """
    by_fold = settings.networks is not None
    if by_fold:
        refuse_own_fold(data_list, split, settings.networks, seen)
    else:
        refuse_seen(data_list, split, seen)
    cases = read_cases(predictions, data_list, split, settings.truths, dataset_dir, settings.measurements, nothing_found=by_fold)
    refuse_broken(cases.left_out)
    return fit_records(cases, settings, source_of(data_list, split, cases.left_out) | {"truth": truth})


def fit_records(cases: Cases, settings: Calibration, source: Mapping[str, Any]) -> list[Calibrated]:
    """Records of cases that were read already.

    Args:
        source: for the provenance; its `list_sha256` salts the units' hashes.

    Raises:
        StudyRefused: see `calibrate`.
    """
    if settings.networks is not None:
        refuse_other_networks(cases.results, settings)
    if not cases.results:
        refuse_too_few(0, settings.needed(max(settings.levels)), settings.unit, max(settings.levels), settings.sides)
    return [
        fit_one(name, [case for case in every if case.preparation == preparation], cases, settings, source)
        for name, every in cases.by_measurement.items()
        for preparation in dict.fromkeys(case.preparation for case in every)
    ]


def fit_one(name: str, every: Sequence[Case], cases: Cases, settings: Calibration, source: Mapping[str, Any]) -> Calibrated:
    """The record of one measurement. Args: every: its cases of one preparation, of all `cases`. Raises: as `calibrate`."""
    out_of_fold = settings.networks is not None
    first, rest = one_per_unit(every, settings.seed) if out_of_fold else first_line(every, settings.seed)
    gate, accepted = fit_gate_on(first, settings)
    if out_of_fold:  # what is proven is the rank among all units: a gate then only withholds
        accepted = first
    results = [result for result in cases.results if preparation_of(result) == every[0].preparation]
    identity = identity_of_all(results, name) if accepted else {}
    provenance = {
        **provenance_of(every, first, accepted, settings.seed, source),
        "nothing_found": len(every) - len(first) - len(rest),
    }
    about = {
        "measured_in": cases.units.get(name, ""),
        "identity": of_any_unit(identity) if settings.any_unit else identity,
        "provenance": provenance,
    }
    return Calibrated(fit_record(name, accepted, settings, gate, **about), accepted)


def provenance_of(
    every: Sequence[UnitCase], first: Sequence[UnitCase], accepted: Sequence[UnitCase], seed: int, source: Mapping[str, Any]
) -> dict[str, Any]:
    """Where a record came from: part of the list, choice of the units, and which they were.

    Args:
        every: all cases. first: one a unit. accepted: those of them that the gate accepts.
        seed: of the choice. source: see `calibration_part.source_of`.
    """
    return {
        **source,
        "seed": seed,
        "images": len(every),
        "units": len(first),
        "not_accepted": len(first) - len(accepted),
        "made_of": describe_units(every, {case.unit for case in first}, source["list_sha256"]),
    }


def fit_gate_on(cases: Sequence[AnyCase], settings: Calibration | PointCalibration) -> tuple[Gate | None, list[AnyCase]]:
    """The gate, fitted on one case per unit, and the cases it accepts; all of them where the settings name no check.

    Raises:
        StudyRefused: GATE_SCORE_MISSING.
    """
    if not settings.checks or not cases:
        return None, list(cases)
    scores = [case.scores for case in cases]
    gate = fit_gate(scores, settings.checks, settings.false_alarm_rate)
    return gate, [case for case, inside in zip(cases, gate.inside(scores), strict=True) if inside]


def fit_record(
    measurement: str,
    cases: Sequence[Case],
    settings: Calibration,
    gate: Gate | None = None,
    measured_in: str = "",
    identity: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Record:
    """A record of cases with truths, one per unit, accepted by the gate. Raises: StudyRefused: TOO_FEW_UNITS, in every class."""
    level = max(settings.levels)
    needed = settings.needed(level)
    groups = divide(cases, settings.size_classes.get(measurement, ()))
    refuse_too_few(max(len(group) for _, group in groups), needed, settings.unit, level, settings.sides)
    score = settings.score_of(measurement)
    return Record(
        measurement=measurement,
        measured_in=measured_in,
        unit=settings.unit,
        score=score,
        sides=settings.sides,
        classes=tuple(class_of(end, group, score, settings) for end, group in groups),
        levels=tuple(sorted(settings.levels)),
        gate=gate,
        identity=dict(identity or {}),
        provenance=dict(provenance or {}),
    )


def class_of(up_to: float, cases: Sequence[Case], score: ConformityScore, settings: Calibration) -> SizeClass | FoldClass:
    """The scores of one class's cases, by cross-validation each by the network that has not seen the unit."""
    if settings.networks is None:
        return SizeClass.of(up_to, [score.excess(case, case.truth) for case in cases], settings.sides)
    return FoldClass.of(up_to, cases, score, settings.sides, settings.networks, settings.one_recipe)


def refuse_other_networks(results: Sequence[Mapping[str, Any]], settings: Calibration) -> None:
    """Refuse predictions that are not of K networks in turn, or too few draws of each for a width of its own.

    Raises:
        StudyRefused: WRONG_USAGE.
    """
    for result in results:
        members, draws = result["sampling"].get("members", 1), result["sampling"]["draws"]
        if members != settings.networks or draws % members:
            raise StudyRefused("WRONG_USAGE", f"{draws} draws of {members} networks, the settings speak of {settings.networks}")
        if draws == members and any(settings.score_of(one.name).needs_draws for one in settings.measurements):
            raise StudyRefused("WRONG_USAGE", "the score needs draws of each network alone, and each has one: it has no spread")


def refuse_too_few(n: int, needed: int, unit: str, level: float, sides: str) -> None:
    """Raises: StudyRefused: TOO_FEW_UNITS where there are fewer units than are needed."""
    if n < needed:
        raise StudyRefused("TOO_FEW_UNITS", f"{n} {unit}s, {needed} are needed at {100 * level:g} % ({sides})")


def identity_of_all(results: Sequence[Mapping[str, Any]], measurement: str) -> dict[str, Any]:
    """The one identity of all results for a measurement. Raises: StudyRefused: see `one_identity`."""
    stated = [next(entry for entry in result["measurements"] if entry["name"] == measurement) for result in results]
    return one_identity([identity_of(result, result["bundle"], entry) for result, entry in zip(results, stated, strict=True)])
