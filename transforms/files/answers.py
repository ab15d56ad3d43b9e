"""`answers` of a result: what kinds there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LANDMARK, MEASUREMENT = "landmark", "measurement"
"""A place, and a number with a unit."""


def landmarks_of(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answers that are places, in their order."""
    return [answer for answer in result["answers"] if answer["kind"] == LANDMARK]


def measurements_of(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answers that are numbers, in their order."""
    return [answer for answer in result["answers"] if answer["kind"] == MEASUREMENT]
