"""The distance of a landmark from its truth: the same radius for every study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..case import Case
from ..regions.disc import Disc, distance
from .conformity_score import ConformityScore


@dataclass(frozen=True)
class Distance(ConformityScore):
    """|y - y'|, mm; also where pixels are not square."""

    ends: ClassVar[int] = 1
    kind: ClassVar[str] = Disc.kind

    @property
    def width_from(self) -> str:
        return "the record"

    def excess(self, case: Case, truth: tuple[float, ...]) -> tuple[float]:
        return (distance(case.place, np.array(truth)),)

    def region(self, case: Case, reach: Sequence[float]) -> Disc:
        return Disc(tuple(case.place.tolist()), reach[0])

    def about(self, case: Case, other: Case, reach: Sequence[float]) -> tuple[float]:
        """Of discs by the triangle inequality, which is met by the farthest place of the other disc."""
        return (distance(case.place, other.place) + reach[0],)

    @classmethod
    def example(cls) -> Distance:
        """See `ConformityScore.example`."""
        return cls()
