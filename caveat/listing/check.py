"""A data list looked through before anything is trained or promised with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from caveat.reasons import StudyRefused

from ..inference.calibration.quantile import units_needed
from ..transforms.landmarks.points_table import read_all_points, refuse_other_axes
from ..transforms.study.data_list import image_of, refuse_odd_truths, sha256_of
from ..transforms.study.inspect_study import SAME_GRID_MM, Inspected, inspect_study

LEVELS = (Fraction(4, 5), Fraction(9, 10), Fraction(19, 20))
LEFT_OUT = 3
"""Units that a gate leaves out of a record at most, the most extreme one of each check: the shipped bundles have three."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with an entry. Args: part: its name. number: of the entry, from 1. what: in words."""

    part: str
    number: int
    what: str


def problems_of(parts: Mapping[str, Sequence[Mapping[str, Any]]], root: Path) -> list[Problem]:
    """Everything that would make a training, a record or a figure wrong.

    Files that are not there or are others than the list says, images that are refused, labels off their image's grid or with
    parts of numbers, an image listed twice, a unit in two parts or in two folds.

    Args:
        parts: a data list. root: what its paths start from.
    """
    rows = [(part, number, entry) for part, entries in parts.items() for number, entry in enumerate(entries, start=1)]
    found = [Problem(part, number, what) for part, number, entry in rows for what in _of_entry(entry, number, root)]
    return found + list(_shared(rows, "sha256", "the image stands in the list before")) + list(_torn(rows))


def _of_entry(entry: Mapping[str, Any], number: int, root: Path) -> Iterator[str]:
    missing = [
        key for key in ("image", "unit", "sha256") if not entry.get(key) or key == "unit" and not isinstance(entry[key], str)
    ]
    if missing:
        yield f"it states no {' and no '.join(missing)}"
        return
    try:
        channels, sha256 = image_of(entry, number), sha256_of(entry, number)
        refuse_odd_truths(entry, number)
    except StudyRefused as refusal:
        yield refusal.found
        return
    try:
        image = inspect_study([root / channel for channel in channels], sha256=sha256)
    except StudyRefused as refusal:
        yield f"the image is refused: {refusal}"
        return
    labels = entry.get("label") or []
    for rater, label in enumerate([labels] if isinstance(labels, str) else labels, start=1):
        yield from _of_label(root / label, image, rater)
    if entry.get("points"):
        try:
            refuse_other_axes(read_all_points(root / entry["points"])[1], image.image.voxels.ndim - 1)
        except StudyRefused as refusal:
            yield f"its landmarks are refused: {refusal}"


def _of_label(path: Path, image: Inspected, rater: int) -> Iterator[str]:
    try:
        label = inspect_study(path).image
    except StudyRefused as refusal:
        yield f"label {rater} is refused: {refusal}"
        return
    if label.voxels.shape[1:] != image.image.voxels.shape[1:]:
        yield f"label {rater} is {label.voxels.shape[1:]}, the image {image.image.voxels.shape[1:]}"
    elif label.voxels.ndim == 4 and np.abs(label.affine - image.image.affine).max() > SAME_GRID_MM:
        yield f"label {rater} lies elsewhere than the image"
    elif not np.array_equal(label.voxels, np.round(label.voxels)):
        yield f"label {rater} has values between whole numbers"
    elif not label.voxels.any():
        yield f"label {rater} is empty"


def _shared(rows: Sequence[tuple[str, int, Mapping[str, Any]]], key: str, what: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for part, number, entry in rows:
        if str(entry.get(key)) in seen:
            yield Problem(part, number, what)
        seen |= {str(entry[key])} if entry.get(key) else set()


def _torn(rows: Sequence[tuple[str, int, Mapping[str, Any]]]) -> Iterator[Problem]:
    """Units that training and what checks it share."""
    for key, word in (("part", "part"), ("fold", "fold")):
        first: dict[str, Any] = {}
        for part, number, entry in rows:
            place = part if key == "part" else entry.get("fold")
            if place is not None and first.setdefault(str(entry.get("unit")), place) != place:
                yield Problem(part, number, f"its unit stands in another {word} too")


def promises_of(units: int) -> str:
    """Which levels so many calibration units can promise, by one score, and what `caveat calibrate` has to be told for it."""
    needed = {level: units_needed(1 - level) + LEFT_OUT for level in LEVELS}
    possible = [level for level in LEVELS if units >= needed[level]]
    if len(possible) == len(LEVELS):
        return f"enough for intervals of {_in_words(possible)}"
    lacking = LEVELS[len(possible)]
    more = f"{_in_words([lacking])} takes {needed[lacking]} units"
    if not possible:
        return f"enough for no interval: {more}"
    levels = ",".join(f"{float(level):g}" for level in possible)
    return f"enough for intervals of {_in_words(possible)} (caveat calibrate --levels {levels}); {more}"


def _in_words(levels: Sequence[Fraction]) -> str:
    """As "80, 90 and 95 %"."""
    *first, last = (f"{100 * float(level):g}" for level in levels)
    return f"{', '.join(first)} and {last} %" if first else f"{last} %"
