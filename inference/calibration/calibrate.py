"""From stored predictions and truths of units that no network has seen to records."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from ...transforms.data_list import read_list
from ..evaluate import read_entries
from ..gate.gate import Gate, fit_gate
from .case import Case, Cases, first_line, read_cases
from .identity import OF_BUNDLE, differences, identity_of
from .quantile import miss_rate, units_needed
from .record import Record
from .settings import Calibration
from .size_classes import size_classes
from .units import describe_units

SEEN_PARTS = ("training", "early_stopping")
"""Parts of a data list that weights, temperature or settings were made with."""
MUST_BE_MENDED = ("NOT_PREDICTED", "NO_TRUTH", "LABEL_OFF_GRID", "LABEL_WITHOUT_CLASS", "NON_FINITE_DRAWS")
"""Without such a unit the rest would be a selection, no longer exchangeable with new studies. Other units without a case are left
out: a study that is refused, or in which nothing is found, never gets an interval."""


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
    broken = [row for row in cases.left_out if row["code"] in MUST_BE_MENDED]
    if broken:
        raise StudyRefused(broken[0]["code"], f"{len(broken)} of the part's images; the first: {broken[0]['found']}")
    source = {
        "list": data_list.name,
        "list_sha256": hashlib.sha256(data_list.read_bytes()).hexdigest(),
        "split": split,
        "left_out": dict(sorted(Counter(row["code"] for row in cases.left_out).items())),
    }
    return fit_records(cases, settings, source)


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
            **source,
            "seed": settings.seed,
            "images": len(every),
            "nothing_found": len(every) - len(first) - len(rest),
            "units": len(first),
            "not_accepted": len(first) - len(accepted),
            "size_classes_asked_for": list(asked),
            "made_of": describe_units(every, {case.unit for case in first}, source["list_sha256"]),
        }
        about = {"measured_in": cases.units.get(name, ""), "identity": identity, "provenance": provenance}
        calibrated.append(Calibrated(fit_record(name, accepted, settings, gate, **about), accepted))
    return calibrated


def fit_gate_on(cases: Sequence[Case], settings: Calibration) -> tuple[Gate | None, list[Case]]:
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
    level = max(settings.levels)
    needed = units_needed(miss_rate(level), settings.sides)
    if len(cases) < needed:
        raise StudyRefused(
            "TOO_FEW_UNITS",
            f"{len(cases)} {settings.unit}s, {needed} are needed at {100 * level:g} % ({settings.sides})",
        )
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


def identity_of_all(results: Sequence[Mapping[str, Any]], measurement: str) -> dict[str, Any]:
    """The one identity of all results.

    Raises:
        StudyRefused: MIXED_PREDICTIONS where they differ; RECORD_MISMATCH where they do not say what made them.
    """
    identities = []
    for result in results:
        entry = next(entry for entry in result["measurements"] if entry["name"] == measurement)
        identities.append(identity_of(result, result["bundle"], entry))
    for other in identities[1:]:
        if differing := differences(identities[0], other):
            raise StudyRefused("MIXED_PREDICTIONS", f"they differ in {', '.join(differing)}")
    unknown = [key for key in OF_BUNDLE if not identities[0][key]]
    if unknown:
        raise StudyRefused("RECORD_MISMATCH", f"the predictions do not state {', '.join(unknown)}: no record can be tied to them")
    return identities[0]


def refuse_seen(data_list: Path, split: str, seen: Collection[str]) -> None:
    """Refuse units and images that the weights, their temperature or their settings were made with.

    Raises:
        StudyRefused: UNITS_SEEN_IN_TRAINING, WRONG_USAGE.
    """
    entries = read_entries(data_list, split)
    parts = read_list(data_list)
    others = [entry for part in SEEN_PARTS if part in parts for entry in read_entries(data_list, part)]
    units = {entry["unit"] for entry in others} & {entry["unit"] for entry in entries}
    images = ({entry["sha256"] for entry in others} | set(seen)) & {entry["sha256"] for entry in entries}
    if units or images:
        raise StudyRefused("UNITS_SEEN_IN_TRAINING", f"{len(units)} units and {len(images)} images of the part {split}")
