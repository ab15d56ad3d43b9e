"""`answers` of a result: what kinds there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LANDMARK, MEASUREMENT, CLASS = "landmark", "measurement", "class"
"""A place, a number with a unit, and the class that an image is of."""


def landmarks_of(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answers that are places, in their order."""
    return [answer for answer in result["answers"] if answer["kind"] == LANDMARK]


def measurements_of(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answers that are numbers, in their order."""
    return [answer for answer in result["answers"] if answer["kind"] == MEASUREMENT]


def classes_of(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answers that say which class the image is of, in their order."""
    return [answer for answer in result["answers"] if answer["kind"] == CLASS]
