"""What a viewer shows of a result: a label map with a name for each of its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..api.result import Answer, Result
from ..bundle_folders import read_metadata
from ..inference.targets.statement import number
from ..reasons import StudyRefused
from ..transforms.files.answers import LANDMARK

LEVELS = ("all draws", "most draws", "any draw")
"""In which a voxel is of a class; each lies within the next."""
DISC = 0.01
"""Radius of a landmark's disc, as a share of the image's longer side."""


@dataclass(frozen=True)
class Segments:
    """Args: labels: (*spatial) uint8, 0 is nothing. names: of the values that are there, in their order."""

    labels: np.ndarray
    names: Mapping[str, int]

    @classmethod
    def of(cls, labels: np.ndarray, names: Mapping[str, int]) -> Segments:
        """Names of values that are not there are left out: Slicer names the values that it finds in the order of the names."""
        there = set(np.unique(labels).tolist())
        return cls(labels.astype(np.uint8), {name: value for name, value in names.items() if value in there})


def class_names(bundle: Path) -> dict[str, int]:
    """The labels that a bundle's masks hold, or a value for each of its landmarks."""
    output = read_metadata(bundle)["network_data_format"]["outputs"]["pred"]
    names = [name for name in output["channel_def"].values() if name != "background"]
    return {name: value for value, name in enumerate(names, start=1)}


def level_names(names: Sequence[str]) -> dict[str, int]:
    """ "anterior, all draws": 1, "anterior, most draws": 2 ..."""
    nested = [f"{name}, {level}" for name in names for level in LEVELS]
    return {name: value for value, name in enumerate(nested, start=1)}


def reported(result: Result, names: Mapping[str, int], hypothesis: int = 0) -> Segments:
    """The reported mask, or one of the hypotheses; of landmarks, discs. Raises: StudyRefused: WRONG_USAGE."""
    if hypothesis:
        choice = np.zeros(0) if result.hypotheses is None else np.asarray(result.hypotheses)
        if not 1 <= hypothesis <= len(choice):
            raise StudyRefused("WRONG_USAGE", f"there are {len(choice)} hypotheses to choose from")
        return Segments.of(choice[hypothesis - 1], names)
    if result.segmentation is None:
        return discs(result, names)
    return Segments.of(np.asarray(result.segmentation)[0], names)


def nested(result: Result, names: Sequence[str]) -> Segments:
    """In how many draws a voxel is of the class that most of those have which give it one.

    Args:
        result: with its draws. names: of the classes, the first of them 1.
    """
    draws = np.asarray(result.draws)
    counts = np.stack([(draws == value).sum(axis=0) for value in range(1, len(names) + 1)])
    best, most = counts.argmax(axis=0), counts.max(axis=0)
    level = np.select([most == len(draws), 2 * most > len(draws), most > 0], [1, 2, 3], 0)
    return Segments.of(np.where(level > 0, len(LEVELS) * best + level, 0), level_names(names))


def discs(result: Result, names: Mapping[str, int]) -> Segments:
    """A disc about each landmark that lies on the image; of two that overlap the later is seen."""
    shape = tuple(result.to_dict()["input"]["shape"])
    labels, grid = np.zeros(shape, np.uint8), np.indices(shape)
    radius = max(1.0, DISC * max(shape))
    for entry in result.to_dict()["answers"]:
        if entry["kind"] != LANDMARK or entry["value"] is None or entry["name"] not in names:
            continue
        centre = np.asarray(entry["index_on_input_grid"]).reshape(-1, *[1] * len(shape))
        labels[((grid - centre) ** 2).sum(axis=0) <= radius**2] = names[entry["name"]]
    return Segments.of(labels, names)


def with_answers(segments: Segments, result: Result, names: Mapping[str, int]) -> Segments:
    """Each segment's name with what was measured of it. Args: names: of the values, without it."""
    word_of = {value: name for name, value in names.items()}
    by_value: dict[int, Answer] = {}
    for entry in result.to_dict()["answers"]:
        value = names.get(entry["name"]) if entry["kind"] == LANDMARK else _only(entry.get("classes"))
        if value is not None:
            by_value.setdefault(value, result[entry["name"]])
    return Segments(
        segments.labels,
        {
            f"{name}: {in_short(by_value[value])}" if value in by_value and word_of.get(value) == name else name: value
            for name, value in segments.names.items()
        },
    )


def in_short(answer: Answer) -> str:
    """Such as "1.771 mL (90 % 1.431 to 2.111)": a DICOM segment's name has 64 characters."""
    if answer.value is None:
        return "nothing found"
    if isinstance(answer.value, tuple):
        shown = f"{', '.join(number(part, 4) for part in answer.value)} {answer.unit}"
    else:
        shown = f"{number(answer.value, 4)} {answer.unit}"
    if answer.region is None:
        return f"{shown} (not calibrated)"
    level = f"{100 * answer.region['level']:g} %"
    if answer.interval is None:
        return f"{shown} ({level} {answer.region['kind']})"
    lower, upper = (None if end is None else number(end, 4) for end in answer.interval)
    if lower is None or upper is None:
        return f"{shown} ({level} {'at most ' + str(upper) if lower is None else 'at least ' + lower})"
    return f"{shown} ({level} {lower} to {upper})"


def _only(classes: Any) -> int | None:
    return classes[0] if isinstance(classes, list) and len(classes) == 1 else None
