"""Measurement: a quantity with a unit, as a function of how many elements each class has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from .study_grid import GridElement


class Measurement(ABC):
    """One number about one structure.

    Args:
        name: identifies it in files, lower case.
        title: how a sentence calls the structure.
        classes: the classes that make it up.
    """

    def __init__(self, name: str, title: str, classes: Sequence[int]) -> None:
        self.name = name
        self.title = title
        self.classes = tuple(classes)

    def count(self, counts: Sequence[int]) -> int:
        """Elements of the structure. Args: counts: elements per class."""
        return sum(counts[index] for index in self.classes)

    @abstractmethod
    def unit(self, element: GridElement) -> str:
        """Unit of the value on a grid of such elements."""

    @abstractmethod
    def value(self, counts: Sequence[int], region_count: int, element: GridElement) -> float:
        """Args: counts: elements per class. region_count: elements of the region that is measured."""

    def of_raters(self, values: Sequence[float]) -> float:
        """The truth, where several raters drew: by default that of the one who is the truth. Args: values: his first."""
        return values[0]
