"""A part of a data list beside what was predicted of its images."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from caveat.reasons import StudyRefused

from ...transforms.image.stated_spacing import refuse_spacing_conflict
from ...transforms.output.study_seal import StudySeal
from ...transforms.study.data_list import read_part, refuse_odd_truths, spacing_of
from .stored_study import StoredStudy, read_results

SAME_RUN = (
    *("sampler", "sampler_settings", "source", "draws", "seed", "temperature"),
    *("roi_size", "overlap", "blending", "align", "precision"),
)
"""Entries of a result's `sampling` in which the studies of one folder must agree."""


class Truths(Protocol):
    """Where truths come from: masks, or for another task points."""

    def read(self, entry: Mapping[str, Any], dataset_dir: Path, study: StoredStudy) -> Sequence[Any]:
        """One truth per rater, each with a `rater`. Raises: StudyRefused: NO_TRUTH, LABEL_OFF_GRID."""

    def as_prediction(self, truth: Any) -> StoredStudy:
        """A rater's reading in the place of the network's."""


def read_entries(data_list: Path, split: str) -> list[dict[str, Any]]:
    """One part of a data list, whose entries all have `image`, `unit` and `sha256`. Raises: StudyRefused: WRONG_USAGE."""
    entries = read_part(data_list, split, ("image", "unit", "sha256"))
    for number, entry in enumerate(entries, start=1):
        refuse_odd_truths(entry, number)
        if "spacing_mm" in entry:
            spacing_of(entry, number)
    return entries


def refuse_twice(entries: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a part that counts an image twice. Args: entries: with `sha256`. Raises: StudyRefused: WRONG_USAGE."""
    if len({entry["sha256"] for entry in entries}) < len(entries):
        raise StudyRefused("WRONG_USAGE", "the list names an image twice")


def left_out_row(number: int, entry: Mapping[str, Any], refusal: StudyRefused) -> dict[str, Any]:
    """An entry without figures: its number in the part from 1, its unit, why. No path: it may name somebody."""
    return {"entry": number, "unit": entry["unit"], "code": refusal.code, "found": refusal.found}


def results_by_sha256(predictions: Path, wanted: set[str]) -> dict[str, tuple[Path, dict[str, Any]]]:
    """Study folders and results of the wanted images.

    Raises:
        StudyRefused: DUPLICATE_PREDICTION, MIXED_PREDICTIONS; CORRUPT where files of one are not those that were written: figures
            of a mask that somebody drew over, or put there from another study, would be told of the network.
    """
    found: dict[str, tuple[Path, dict[str, Any]]] = {}
    for folder, result in read_results(predictions).items():
        sha256 = result.get("input", {}).get("sha256")
        if sha256 not in wanted:
            continue
        if sha256 in found:
            raise StudyRefused("DUPLICATE_PREDICTION", "two results have the same sha256 of their input")
        seal = StudySeal.read(folder)
        if seal is not None and seal.is_changed(folder):
            raise StudyRefused("CORRUPT", "files of a study were changed since it was measured: predict it again")
        found[sha256] = folder, result
    if not all(isinstance(result.get("sampling"), dict) for _, result in found.values() if result["status"] != "REFUSED"):
        raise StudyRefused("CORRUPT", "a result.json that does not say how it was sampled")
    runs = {run_of(result) for _, result in found.values() if result["status"] != "REFUSED"}
    if len(runs) > 1:
        raise StudyRefused("MIXED_PREDICTIONS", f"{len(runs)} different combinations of weights and sampling")
    return found


def refuse_other_spacing(entry: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    """Refuse a prediction in other mm than the list states, as by a slip in `--spacing`: its errors and sizes are too.

    Args:
        entry: of a list. result: of its image, in pixels where nothing stated a spacing.

    Raises:
        StudyRefused: SPACING_CONFLICT, and as `stated_spacing`.
    """
    measured = result.get("input", {}).get("spacing_mm")
    if measured is not None and "spacing_mm" in entry:
        refuse_spacing_conflict(measured, entry["spacing_mm"])


def run_of(result: Mapping[str, Any]) -> str:
    """What must be equal within a run, as one string."""
    sampling = {key: result["sampling"].get(key) for key in SAME_RUN}
    return json.dumps([result["bundle"], sampling], sort_keys=True)
