"""Where a result states what a bundle was asked for: measurements and landmarks by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from caveat.reasons import StudyRefused

KINDS = ("measurements", "points")
"""Keys of a result under which its answers stand."""


def entries_of(result: Mapping[str, Any], names: Sequence[str]) -> list[Mapping[str, Any]]:
    """The entries of these names, in their order. Raises: StudyRefused: NOT_PREDICTED where the result has others."""
    stated = {entry["name"]: entry for kind in KINDS for entry in result.get(kind, ())}
    if not stated.keys() >= set(names):
        raise StudyRefused("NOT_PREDICTED", "the result has other answers than the bundle")
    return [stated[name] for name in names]


def is_place(entry: Mapping[str, Any]) -> bool:
    """Whether an entry is a landmark's."""
    return "total_covariance" in entry
