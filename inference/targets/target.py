"""Target: what a bundle states of a study, and the one way it is measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self

from ..engine.study_grid import GridElement
from .drawn import Drawn


class Target(ABC):
    """One number about one structure.

    A draw, the reported mask, the mask on the input's grid and a rater's are all measured by `of`: what differs between them is
    never how they were measured.

    Args:
        name: identifies it in files, lower case.
        title: how a sentence calls the structure.
        classes: the classes that make it up.

    Raises:
        ValueError: no class.

    Attributes:
        needs_mask: whether `of` looks at where the structure is; else it is a function of the counts, which stream.
    """

    needs_mask: bool = False

    def __init__(self, name: str, title: str, classes: Sequence[int]) -> None:
        if not classes:
            raise ValueError(f"{name}: a structure of no class")
        self.name = name
        self.title = title
        self.classes = tuple(classes)

    @abstractmethod
    def unit(self, element: GridElement) -> str:
        """Unit of the value on a grid of such elements.

        Another one where the spacing is not known, unless the value is the same whatever the spacing.

        Raises:
            ValueError: there is no such quantity on such a grid.
        """

    @abstractmethod
    def of(self, drawn: Drawn) -> float:
        """The value, in `unit` of the grid's element."""

    def at_most(self, element: GridElement, region_count: int) -> float | None:
        """The value of a structure that fills the region, which no truth exceeds; None of targets that look at the mask.

        Args:
            element: of the grid. region_count: elements of the region that is measured.
        """
        if self.needs_mask:
            return None
        counts = [0] * (max(self.classes) + 1)
        counts[self.classes[0]] = region_count
        return self.of(Drawn(element, counts, region_count))

    def found(self, value: float) -> bool:
        """Whether a value is an answer. By default 0 is none: nothing was found, and that is no measurement of zero."""
        return value > 0

    def of_raters(self, values: Sequence[float]) -> float:
        """The truth, where several raters drew: by default that of the one who is the truth. Args: values: his first."""
        return values[0]

    @classmethod
    def example(cls) -> Self:
        """A small instance for the contract tests, of class 1."""
        return cls("example", "Object", (1,))
