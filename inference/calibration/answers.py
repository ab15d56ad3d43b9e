"""Where a result states what a bundle was asked for: measurements and landmarks by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from caveat.reasons import StudyRefused

from ...transforms.files.answers import LANDMARK


def entries_of(result: Mapping[str, Any], names: Sequence[str]) -> list[Mapping[str, Any]]:
    """The answers of these names, in their order. Raises: StudyRefused: NOT_PREDICTED where the result has others."""
    stated = {answer["name"]: answer for answer in result["answers"]}
    if not stated.keys() >= set(names):
        raise StudyRefused("NOT_PREDICTED", "the result has other answers than the bundle")
    return [stated[name] for name in names]


def is_place(entry: Mapping[str, Any]) -> bool:
    """Whether an answer is a landmark's."""
    return bool(entry["kind"] == LANDMARK)


def place_of(entry: Mapping[str, Any]) -> Sequence[float]:
    """Where a landmark was decoded to, also one that the image does not show, which has no value."""
    return entry["draws"]["mean"] if entry["value"] is None else entry["value"]
