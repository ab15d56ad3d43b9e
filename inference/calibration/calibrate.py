"""From stored predictions and truths of units that no network has seen to records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from ...transforms.files.plural import plural
from ..gate.gate import Gate, fit_gate
from .calibration_part import refuse_broken, refuse_own_fold, refuse_seen, source_of
from .case import Case, preparation_of
from .fold_stratum import FoldStratum
from .identity import identity_of_target, of_any_unit, one_identity
from .promised import Names
from .read_cases import Cases, read_cases
from .record import MARGINAL, Record, Stratum
from .rows import Row, first_line, one_per_unit, rows_of
from .scores.conformity_score import ConformityScore
from .seen import Seen
from .settings import Calibration
from .split_stratum import SplitStratum
from .strata import divide
from .units import describe_units
from .whose_truth import UNSTATED

NOTHING_SEEN: Seen = {}


@dataclass(frozen=True)
class Calibrated:
    """A record, and the studies that it was made of: one per unit, accepted by its gate."""

    record: Record
    rows: list[Row]


def calibrate(
    predictions: Path,
    data_list: Path,
    split: str,
    settings: Calibration,
    dataset_dir: Path,
    seen: Seen = NOTHING_SEEN,
    truth: str = UNSTATED,
) -> list[Calibrated]:
    """One record for each target, promise and score, and for each preparation where the bundle tells several apart.

    Args:
        predictions: folder that `caveat predict` wrote.
        data_list: MONAI's form. split: a part of it.
        dataset_dir: what the list's paths are relative to.
        seen: images that the networks have seen.
        truth: whose the labels are, see `truth_of`.

    Raises:
        StudyRefused: UNITS_SEEN_IN_TRAINING, TOO_FEW_UNITS, MIXED_PREDICTIONS, DUPLICATE_PREDICTION, RECORD_MISMATCH,
            GATE_SCORE_MISSING, MISSING_STUDY_SCORE, NO_POOLED_COVARIANCE, WRONG_USAGE; of any unit those of `MUST_BE_MENDED`.
    """
    by_fold = settings.networks is not None
    if settings.networks is not None:
        refuse_own_fold(data_list, split, settings.networks, seen)
    else:
        refuse_seen(data_list, split, seen)
    cases = read_cases(predictions, data_list, split, settings.truths, dataset_dir, settings.targets, nothing_found=by_fold)
    refuse_broken(cases.left_out)
    made = {"truth": truth, "date": datetime.now(UTC).date().isoformat()}
    return fit_records(cases, settings, source_of(data_list, split, cases.left_out) | made)


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
        refuse_too_few(0, settings)
    return [
        fit_one(names, promise, score, preparation, cases, settings, source)
        for names, promise, score in settings.asked()
        for preparation in dict.fromkeys(preparation_of(result) for result in cases.results)
    ]


def fit_one(
    names: Names,
    promise: str,
    score: ConformityScore,
    preparation: str,
    cases: Cases,
    settings: Calibration,
    source: Mapping[str, Any],
) -> Calibrated:
    """One record. Args: names: of its components. preparation: whose studies it is made of. Raises: as `calibrate`."""
    every = [row for row in rows_of(cases.by_name, names) if row[0].preparation == preparation]
    out_of_fold = settings.networks is not None
    first, rest = one_per_unit(every, settings.seed) if out_of_fold else first_line(every, settings.seed)
    gate, accepted = fit_gate_on(first, settings)
    if out_of_fold:  # what is proven is the rank among all units: a gate then only withholds
        accepted = first
    results = [result for result in cases.results if preparation_of(result) == preparation]
    identity: Mapping[str, Any] = {}
    if accepted:
        identity = one_identity([identity_of_target(result, result["bundle"], names) for result in results])
    score = score.fitted_to(identity, frozenset(row[0].sha256 for row in every))
    provenance = {
        **source,
        "seed": settings.seed,
        "images": len(every),
        "units": len(first),
        "not_accepted": len(first) - len(accepted),
        "made_of": describe_units(every, {row[0].unit for row in first}, source["list_sha256"]),
        "nothing_found": len(every) - len(first) - len(rest),
    }
    about: dict[str, Any] = {
        "measured_in": cases.units.get(names[0], ""),
        "identity": of_any_unit(identity) if settings.any_unit else identity,
        "provenance": provenance,
    }
    return Calibrated(fit_record(names, accepted, settings, score, promise, gate, **about), accepted)


def fit_gate_on(rows: Sequence[Row], settings: Calibration) -> tuple[Gate | None, list[Row]]:
    """The gate, fitted on one study per unit, and the studies it accepts; all of them where the settings name no check.

    Raises:
        StudyRefused: GATE_SCORE_MISSING.
    """
    if not settings.checks or not rows:
        return None, list(rows)
    scores = [of_own_network(row[0], settings.networks).scores for row in rows]
    gate = fit_gate(scores, settings.checks, settings.false_alarm_rate)
    return gate, [row for row, inside in zip(rows, gate.inside(scores), strict=True) if inside]


def of_own_network(case: Case, networks: int | None) -> Case:
    """The case as the network says it that has not seen it, by cross-validation; else as it is."""
    return case if networks is None or case.fold is None else case.of_network(case.fold, networks)


def fit_record(
    names: Names,
    rows: Sequence[Row],
    settings: Calibration,
    score: ConformityScore,
    promise: str = MARGINAL,
    gate: Gate | None = None,
    measured_in: str = "",
    identity: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Record:
    """A record of studies with truths, one per unit, accepted by the gate. Raises: StudyRefused: TOO_FEW_UNITS, in every
    stratum."""
    parts: list[list[Row]] = [list(rows)]
    if promise == MARGINAL:
        parts = [[(case,) for case in column] for column in zip(*rows, strict=True)]
    divided = [
        divide(part, settings.bounds_of(name), settings.stratified_by) for part, name in zip(parts or [[]], names, strict=False)
    ]
    fullest = max(len(group) for part in divided for _, group in part)
    refuse_too_few(fullest, settings)
    return Record(
        names=tuple(names),
        measured_in=measured_in,
        unit=settings.unit,
        score=score,
        sides=settings.sides,
        promise=promise,
        strata=tuple(tuple(stratum_of(end, group, score, settings) for end, group in part) for part in divided),
        levels=tuple(sorted(settings.levels)),
        gate=gate,
        identity=dict(identity or {}),
        provenance=dict(provenance or {}),
        stratified_by=settings.stratified_by,
    )


def stratum_of(up_to: float, rows: Sequence[Row], score: ConformityScore, settings: Calibration) -> Stratum:
    """The scores of one stratum's studies, by cross-validation each by the network that has not seen the unit."""
    if settings.networks is None:
        return SplitStratum.of_rows(up_to, rows, score, settings.sides)
    return FoldStratum.of_rows(up_to, rows, score, settings.sides, settings.networks, settings.one_recipe)


def refuse_other_networks(results: Sequence[Mapping[str, Any]], settings: Calibration) -> None:
    """Refuse predictions that are not of K networks in turn, or too few draws of each for a width of its own.

    Raises:
        StudyRefused: WRONG_USAGE.
    """
    for result in results:
        members, draws = result["sampling"].get("members", 1), result["sampling"]["draws"]
        if members != settings.networks or draws % members:
            raise StudyRefused("WRONG_USAGE", f"{draws} draws of {members} networks, the settings speak of {settings.networks}")
        if draws == members and any(score.needs_draws for *_, score in settings.asked()):
            raise StudyRefused("WRONG_USAGE", "the score needs draws of each network alone, and each has one: it has no spread")


def refuse_too_few(n: int, settings: Calibration) -> None:
    """Raises: StudyRefused: TOO_FEW_UNITS where there are fewer units than the highest level needs."""
    level = max(settings.levels)
    if n < (needed := settings.needed(level)):
        found = f"{n} {plural(settings.unit)}, {needed} are needed at {100 * level:g} % ({settings.sides})"
        enough = ",".join(f"{lower:g}" for lower in sorted(settings.levels) if n >= settings.needed(lower))
        raise StudyRefused("TOO_FEW_UNITS", f"{found}; they are enough for --levels {enough}" if enough else found)
