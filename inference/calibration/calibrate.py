"""From stored predictions and truths of units that no network has seen to records."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from caveat.reasons import StudyRefused

from ..gate.gate import Gate, fit_gate
from .calibration_part import refuse_broken, refuse_seen, source_of
from .case import Case, Cases, first_line, read_cases
from .identity import identity_of, one_identity
from .point_settings import PointCalibration
from .quantile import miss_rate, units_needed
from .record import Record
from .settings import Calibration
from .size_classes import size_classes
from .unit_case import UnitCase
from .units import describe_units

AnyCase = TypeVar("AnyCase", bound=UnitCase)


@dataclass(frozen=True)
class Calibrated:
    """A record, and the cases that it was made of: one per unit, accepted by its gate."""

    record: Record
    cases: list[Case]


def calibrate(
    predictions: Path, data_list: Path, split: str, settings: Calibration, dataset_dir: Path, seen: Collection[str] = ()
) -> list[Calibrated]:
    """One record per measurement.

    Args:
        predictions: folder that `caveat predict` wrote.
        data_list: MONAI's form. split: a part of it.
        dataset_dir: what the list's paths are relative to.
        seen: sha256 of images that the weights have seen.

    Raises:
        StudyRefused: UNITS_SEEN_IN_TRAINING, TOO_FEW_UNITS, MIXED_PREDICTIONS, DUPLICATE_PREDICTION, RECORD_MISMATCH,
            GATE_SCORE_MISSING, MISSING_STUDY_SCORE, WRONG_USAGE; of any unit those of `MUST_BE_MENDED`.
    """
    refuse_seen(data_list, split, seen)
    cases = read_cases(predictions, data_list, split, settings.truths, dataset_dir, settings.measurements)
    refuse_broken(cases.left_out)
    return fit_records(cases, settings, source_of(data_list, split, cases.left_out))


def fit_records(cases: Cases, settings: Calibration, source: Mapping[str, Any]) -> list[Calibrated]:
    """Records of cases that were read already.

    Args:
        source: for the provenance; its `list_sha256` salts the units' hashes.

    Raises:
        StudyRefused: see `calibrate`.
    """
    calibrated = []
    for name, every in cases.by_measurement.items():
        first, rest = first_line(every, settings.seed)
        gate, accepted = fit_gate_on(first, settings)
        identity = identity_of_all(cases.results, name) if accepted else {}
        asked = settings.size_classes.get(name, ())
        provenance = {
            **provenance_of(every, first, accepted, settings.seed, source),
            "nothing_found": len(every) - len(first) - len(rest),
            "size_classes_asked_for": list(asked),
        }
        about = {"measured_in": cases.units.get(name, ""), "identity": identity, "provenance": provenance}
        calibrated.append(Calibrated(fit_record(name, accepted, settings, gate, **about), accepted))
    return calibrated


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
    """A record of cases with truths, one per unit, accepted by the gate. Raises: StudyRefused: TOO_FEW_UNITS."""
    needed = refuse_too_few(len(cases), settings.unit, max(settings.levels), settings.sides)
    score = settings.score_of(measurement)
    classes = size_classes(cases, score, settings.sides, settings.size_classes.get(measurement, ()), needed)
    return Record(
        measurement=measurement,
        measured_in=measured_in,
        unit=settings.unit,
        score=score,
        sides=settings.sides,
        classes=classes,
        levels=tuple(sorted(settings.levels)),
        gate=gate,
        identity=dict(identity or {}),
        provenance=dict(provenance or {}),
    )


def refuse_too_few(n: int, unit: str, level: float, sides: str) -> int:
    """Returns: units that are needed. Raises: StudyRefused: TOO_FEW_UNITS where there are fewer."""
    needed = units_needed(miss_rate(level), sides)
    if n < needed:
        raise StudyRefused("TOO_FEW_UNITS", f"{n} {unit}s, {needed} are needed at {100 * level:g} % ({sides})")
    return needed


def identity_of_all(results: Sequence[Mapping[str, Any]], measurement: str) -> dict[str, Any]:
    """The one identity of all results for a measurement. Raises: StudyRefused: see `one_identity`."""
    stated = [next(entry for entry in result["measurements"] if entry["name"] == measurement) for result in results]
    return one_identity([identity_of(result, result["bundle"], entry) for result, entry in zip(results, stated, strict=True)])
