"""Region: where the truth of one component lies, as a record has it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeAlias

Value: TypeAlias = Any
"""A float, in the measurement's unit; a tuple of floats, the coordinates of a landmark in mm, or the probability of each class;
the number of the true class. Which, each kind of region and of score knows, and says in its own signatures."""


class Region(ABC):
    """An interval of numbers, or a set of places or of classes.

    `contains` is what bands and audits count: it holds exactly the truths whose excesses are at most the reach. A region that is
    to be said more roughly, such as in whole numbers, rounds outward in `to_json` alone. One of numbers extends `Interval` under
    its kind, since tables and sentences read two ends.

    Attributes:
        kind: its name in files.
        size_name: what `radius` is called in tables; of an interval they state the width.
        of_places: whether it holds places.
    """

    kind: ClassVar[str]
    size_name: ClassVar[str]
    of_places: ClassVar[bool] = False

    @abstractmethod
    def contains(self, truth: Value) -> bool:
        """Whether the truth lies inside, on its border too."""

    @property
    @abstractmethod
    def radius(self) -> float:
        """Half the width of an interval; of places that of the disc (ball) as large; of classes their number."""

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing but perhaps one value."""
        return self.radius <= 0

    def holding(self, value: Value) -> Region:
        """The least region of this kind that holds a value too. Where a region lies about the value it does."""
        return self

    def within(self, at_most: float) -> Region:
        """As much of a region of numbers as holds no number above the largest that there can be. An open end stays open."""
        return self

    def reaches(self, at_most: float) -> bool:
        """Whether a region of numbers holds the largest that there can be: it does not say how large the value may be."""
        return False

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """As it stands in a result, its name under "kind"; what is infinite is None."""
