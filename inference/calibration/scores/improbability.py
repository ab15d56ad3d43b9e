"""How improbable the true class was held."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..case import Case
from ..regions.class_set import ClassSet
from .conformity_score import ConformityScore


@dataclass(frozen=True)
class Improbability(ConformityScore):
    """1 - p of a class: a set holds every class that is not too improbable, so it may hold all classes, or none.

    Source: Sadinle, Lei and Wasserman 2019, "Least ambiguous set-valued classifiers with bounded error levels".
    """

    ends: ClassVar[int] = 1
    kind: ClassVar[str] = ClassSet.kind

    @property
    def width_from(self) -> str:
        return "the probability of each class"

    def excess(self, case: Case, truth: int) -> tuple[float]:
        return (1 - case.value[truth],)

    def region(self, case: Case, reach: Sequence[float]) -> ClassSet:
        return ClassSet(tuple(index for index, p in enumerate(case.value) if 1 - p <= reach[0]))

    def about(self, case: Case, other: Case, reach: Sequence[float]) -> tuple[float]:
        """The improbability, here, of the least probable class of the other set; of an empty one nothing needs to be reached."""
        return (max((1 - case.value[index] for index in self.region(other, reach).held), default=-math.inf),)

    @classmethod
    def example(cls) -> Improbability:
        """See `ConformityScore.example`."""
        return cls()
