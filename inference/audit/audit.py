"""From stored predictions and truths, in order of arrival, to the evidence against the records whose promises they made."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from caveat.reasons import StudyRefused

from ..calibration.record import Record
from ..calibration.settings import Calibration
from .how_drawn import how_drawn
from .part import Part
from .told import ToldStudy, read_told

WARN_AT = 20.0
"""Odds at which a record is doubted, for ever: a fair one ever reaches them with a probability of 5 % at most."""


def audit(
    predictions: Path,
    data_list: Path,
    split: str,
    settings: Calibration,
    dataset_dir: Path,
    records: Sequence[Record],
) -> dict[str, Any]:
    """Evidence against what the predictions promise.

    The first study of each unit in which anything was found is its case. Studies whose interval was withheld are not counted: a
    record promises nothing of them. The evidence of several parts, then of several promises, is their mean, which is evidence of
    the same kind however they depend on each other.

    Args:
        predictions: folder that `caveat predict` wrote, with the intervals that are audited.
        data_list: MONAI's form; its part's order is that of arrival, and it states how it was drawn, see `how_drawn`.
        settings: the bundle's calibrate.yaml, for its truths.
        dataset_dir: what the list's paths are relative to.
        records: those that made the intervals among them.

    Returns:
        {list, list_sha256, split, drawn, units, withheld: units whose every interval was, left_out, promises: rows {promise,
        parts: see `Part.row`, and its verdict}, order: sha256 of the units' images}, with the verdict of all, see `verdict`.

    Raises:
        StudyRefused: WRONG_USAGE where the list does not say how it was drawn, an interval is of a record that is not given, or
            those of one part are of several; UNITS_SEEN_IN_CALIBRATION; NOT_PREDICTED where no study has a truth.
    """
    drawn = how_drawn(data_list)
    studies, left_out = read_told(predictions, data_list, split, settings, dataset_dir, {one.checksum: one for one in records})
    if not studies:
        raise StudyRefused("NOT_PREDICTED", f"none of {len(left_out)} images has a prediction and a truth")
    first = list({study.unit: study for study in reversed(studies)}.values())[::-1]
    promises = collect(first)
    paths = [np.mean([part.evidence(len(first)) for part in parts], axis=0) for parts in promises.values()]
    rows = zip(promises.items(), paths, strict=True)
    return {
        "list": data_list.name,
        "list_sha256": hashlib.sha256(data_list.read_bytes()).hexdigest(),
        "split": split,
        "drawn": drawn,
        "units": len(first),
        "withheld": sum(all(told.record is None for told in study.promises) for study in first),
        "left_out": left_out,
        "promises": [
            {"promise": name, "parts": [part.row(len(first)) for part in parts], **verdict(path)} for (name, parts), path in rows
        ],
        "order": [study.sha256 for study in first],
        **verdict(np.mean(paths, axis=0) if paths else np.ones(len(first))),
    }


def collect(studies: Sequence[ToldStudy]) -> dict[str, list[Part]]:
    """The parts of each promise with their cases. Raises: StudyRefused: WRONG_USAGE for a part of several records or levels."""
    parts: dict[tuple[str, str], Part] = {}
    for number, study in enumerate(studies):
        for told in study.promises:
            if told.record is not None:
                part = parts.setdefault((told.promise, told.part), Part(told.part, told.record, told.level, told.place[0]))
                part.add(number, told)
    promises: dict[str, list[Part]] = {}
    for (promise, _), part in parts.items():
        promises.setdefault(promise, []).append(part)
    return promises


def verdict(path: np.ndarray) -> dict[str, Any]:
    """Evidence after each unit, its highest, and after how many units it reached `WARN_AT`, or None."""
    over = np.flatnonzero(path >= WARN_AT)
    warned = int(over[0]) + 1 if len(over) else None
    return {"evidence": path.tolist(), "highest": float(max(1.0, path.max())), "warned_after": warned}
