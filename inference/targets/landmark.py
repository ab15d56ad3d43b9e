"""Landmark: a place in the image that a bundle states, by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Landmark:
    """Args: name: as in files and sentences."""

    name: str

    def of_truth(self, truth: Any) -> tuple[float, ...]:
        """Where it lies, mm. Args: truth: of `PointTruths`."""
        return tuple(map(float, truth.positions[self.name]))


def landmarks(names: Sequence[str]) -> list[Landmark]:
    """Of all names, in their order."""
    return [Landmark(name) for name in names]
