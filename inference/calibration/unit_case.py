"""UnitCase: what the choice of units, the gate and a record's list of units look at, whatever was predicted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class UnitCase(Protocol):
    """One study's prediction: `Case` of a measurement, `PointCase` of landmarks."""

    @property
    def unit(self) -> str:
        """What is exchangeable, such as "patient 012"."""

    @property
    def sha256(self) -> str:
        """Of the image."""

    @property
    def scores(self) -> Mapping[str, float | None]:
        """The study's scores by name."""
