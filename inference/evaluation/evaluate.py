"""Figures from stored predictions and truths: nothing here needs a network."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from ..metrics.bootstrap import interval_of_mean
from ..stored.list_part import SAME_RUN, Truths, left_out_row, read_entries, refuse_other_spacing, refuse_twice, results_by_sha256
from ..stored.stored_study import StoredStudy, read_study

PREDICTION = "prediction"
"""The reading that is the network's; the others are raters'."""

Metric = Callable[[StoredStudy, Any], Mapping[str, float]]
"""One study and one truth to figures by name; an empty mapping where it does not apply to such a reading."""


@dataclass(frozen=True)
class Evaluation:
    """A bundle's evaluate.yaml.

    Args:
        truths: reads the truths of an entry of the list.
        metrics: of one study and one truth.
        over_studies: of all rows of one reading against one rater, such as failure detection.
        level, resamples, seed: of the bootstrap over the unit.
    """

    truths: Truths
    metrics: Sequence[Metric]
    over_studies: Sequence[Callable[[Sequence[dict[str, Any]]], Mapping[str, float]]] = ()
    level: float = 0.95
    resamples: int = 2000
    seed: int = 0


@dataclass
class EvaluationTable:
    """What was found.

    Args:
        source: list, its sha256, split, bundle and sampling of the predictions, settings of the bootstrap.
        rows: one per study, reading and rater: {study, unit, sha256, reading, against, study_scores, metrics}.
        left_out: one per entry without figures, see `left_out_row`.
        means: one per reading, rater and metric, see `summarise`.
        over_studies: one per reading and rater: {reading, against, metrics}.
        coverage: see `evaluate_coverage`; empty where the bundle asks for none.
    """

    source: dict[str, Any]
    rows: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    means: list[dict[str, Any]] = field(default_factory=list)
    over_studies: list[dict[str, Any]] = field(default_factory=list)
    coverage: dict[str, Any] = field(default_factory=dict)


def evaluate(predictions: Path, data_list: Path, split: str, settings: Evaluation, dataset_dir: Path) -> EvaluationTable:
    """Score every predicted study of a split against every rater, and the raters against each other.

    Args:
        predictions: folder of study folders, as `caveat predict` leaves it.
        data_list: MONAI's form; predictions are matched by the image's sha256.
        split: such as "test".
        settings: what to compute.
        dataset_dir: what the list's paths are relative to.

    Returns:
        the table; entries without a prediction or a truth are rows of `left_out`.

    Raises:
        StudyRefused: DUPLICATE_PREDICTION, MIXED_PREDICTIONS; NOT_PREDICTED where not one entry could be scored.
            WRONG_USAGE for a split that the list does not have, or that names an image twice.
    """
    entries = read_entries(data_list, split)
    refuse_twice(entries)
    results = results_by_sha256(predictions, {entry["sha256"] for entry in entries})
    table = EvaluationTable(describe_source(data_list, split, settings, [result for _, result in results.values()]))
    for number, entry in enumerate(entries, start=1):
        try:
            table.rows += score(entry, results, settings, dataset_dir)
        except StudyRefused as refusal:
            table.left_out.append(left_out_row(number, entry, refusal))
    if not table.rows:
        codes = ", ".join(f"{count} {code}" for code, count in Counter(row["code"] for row in table.left_out).items())
        raise StudyRefused(
            "NOT_PREDICTED", f"none of {len(entries)} images of the split could be scored: {codes or 'no entries'}"
        )
    table.means = summarise(table.rows, settings)
    table.over_studies = score_over_studies(table.rows, settings)
    return table


def describe_source(data_list: Path, split: str, settings: Evaluation, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Where the figures come from; no path, which would differ from machine to machine."""
    measured = [result for result in results if result["status"] != "REFUSED"]
    sampling = measured[0]["sampling"] if measured else {}
    return {
        "list": data_list.name,
        "list_sha256": hashlib.sha256(data_list.read_bytes()).hexdigest(),
        "split": split,
        "bundle": dict(measured[0]["bundle"]) if measured else {},
        "sampling": {key: sampling[key] for key in SAME_RUN if key in sampling},
        "bootstrap": {"level": settings.level, "resamples": settings.resamples, "seed": settings.seed, "over": "unit"},
    }


def score(
    entry: Mapping[str, Any], results: Mapping[str, tuple[Path, dict[str, Any]]], settings: Evaluation, dataset_dir: Path
) -> list[dict[str, Any]]:
    """All rows of one entry.

    Raises:
        StudyRefused: NOT_PREDICTED, NO_TRUTH, LABEL_OFF_GRID, SPACING_CONFLICT, or the code of a refused study.
    """
    if entry["sha256"] not in results:
        raise StudyRefused("NOT_PREDICTED", "no result with the sha256 of the image")
    folder, result = results[entry["sha256"]]
    if result["status"] == "REFUSED":
        raise StudyRefused(result["reasons"][0]["code"], "the study was refused when it was predicted")
    refuse_other_spacing(entry, result)
    study = read_study(folder, result)
    truths = settings.truths.read(entry, dataset_dir, study)
    readings = [(PREDICTION, study, truth) for truth in truths]
    readings += [
        (one.rater, settings.truths.as_prediction(one), other) for i, other in enumerate(truths) for one in truths[i + 1 :]
    ]
    shared = {"study": study.name, "unit": entry["unit"], "sha256": entry["sha256"]}
    return [
        shared
        | {
            "reading": reading,
            "against": truth.rater,
            "study_scores": dict(study.result["study_scores"]) if reading == PREDICTION else {},
        }
        | {"metrics": {name: value for metric in settings.metrics for name, value in metric(read, truth).items()}}
        for reading, read, truth in readings
    ]


def grouped(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Rows by (reading, against), in the order of their first appearance."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["reading"], row["against"]), []).append(row)
    return groups


def summarise(rows: Sequence[dict[str, Any]], settings: Evaluation) -> list[dict[str, Any]]:
    """Mean of every metric with its interval over units.

    Returns:
        entries {reading, against, metric, mean, lower, upper, n, units, undefined, values}: `values` one per study in the
        rows' order; the mean is over the `n` finite ones, `undefined` counts the others.
    """
    means = []
    for (reading, against), group in grouped(rows).items():
        for metric in dict.fromkeys(name for row in group for name in row["metrics"]):
            values = [row["metrics"].get(metric, math.nan) for row in group]
            finite = [(value, row["unit"]) for value, row in zip(values, group, strict=True) if math.isfinite(value)]
            entry = {"reading": reading, "against": against, "metric": metric}
            means.append(entry | mean_over_units(finite, settings) | {"undefined": len(values) - len(finite), "values": values})
    return means


def mean_over_units(finite: Sequence[tuple[float, str]], settings: Evaluation) -> dict[str, Any]:
    """Mean and bootstrap interval. Args: finite: pairs (value, unit). Returns: mean, lower, upper (NaN if unknown), n, units."""
    if not finite:
        return {"mean": math.nan, "lower": math.nan, "upper": math.nan, "n": 0, "units": 0}
    values, units = [value for value, _ in finite], [unit for _, unit in finite]
    lower, upper = interval_of_mean(values, units, settings.level, settings.resamples, settings.seed)
    return {"mean": math.fsum(values) / len(values), "lower": lower, "upper": upper, "n": len(values), "units": len(set(units))}


def score_over_studies(rows: Sequence[dict[str, Any]], settings: Evaluation) -> list[dict[str, Any]]:
    """Figures that need all studies at once. Returns: entries {reading, against, metrics}."""
    return [
        {"reading": reading, "against": against, "metrics": metrics}
        for (reading, against), group in grouped(rows).items()
        if (metrics := {name: value for metric in settings.over_studies for name, value in metric(group).items()})
    ]
