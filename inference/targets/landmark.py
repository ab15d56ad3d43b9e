"""Landmark: a place in the image that a bundle states, by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Landmark:
    """Args: name: as in files and sentences."""

    name: str


def landmarks(names: Sequence[str]) -> list[Landmark]:
    """Of all names, in their order."""
    return [Landmark(name) for name in names]
