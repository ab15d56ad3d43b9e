"""What a target may look at: one hypothesis about a study, whoever drew it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import torch

from ..engine.labels import count_classes, mask_of
from ..engine.study_grid import GridElement
from .tell_apart import tell_apart


@dataclass(frozen=True)
class Drawn:
    """The structures of a draw, of the reported mask, or of a rater, on one grid.

    Args:
        element: of the grid.
        counts: elements of each class.
        region_count: elements of the region that is measured.
        where: a class to its mask, bool (*spatial); None where no more than the counts is known.
        numbered: the objects of all classes, int (*spatial), from 1 without a gap, where whoever drew them told them apart; None
            where they are told apart by the mask.
    """

    element: GridElement
    counts: Sequence[int]
    region_count: int
    where: Callable[[int], np.ndarray] | None = None
    numbered: np.ndarray | None = None
    _told_apart: dict[tuple[int, ...], np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of_labels(
        cls, element: GridElement, labels: np.ndarray, classes: int, region_count: int, numbered: np.ndarray | None = None
    ) -> Drawn:
        """Of a label map. Args: labels: uint8 (*spatial). classes: at least so many are counted. numbered: objects, if known."""
        counts = np.bincount(labels.ravel(), minlength=classes).tolist()
        return cls(element, counts, region_count, lambda index: labels == index, numbered)

    @classmethod
    def of_masks(cls, element: GridElement, masks: np.ndarray, region_count: int) -> Drawn:
        """Of classes that may overlap. Args: masks: bool (classes, *spatial), the first of them class 1."""
        counts = [0, *masks.sum(axis=tuple(range(1, masks.ndim))).tolist()]
        return cls(element, counts, region_count, lambda index: masks[index - 1])

    @classmethod
    def of_probability(
        cls, element: GridElement, probability: torch.Tensor, labels: torch.Tensor, independent: bool, region_count: int
    ) -> Drawn:
        """Of probabilities. Args: probability: (classes, *spatial). labels, independent: see `labels_of`."""
        counts = count_classes(probability, labels, independent)
        return cls(element, counts, region_count, lambda index: mask_of(probability, labels, index, 0, independent).cpu().numpy())

    @classmethod
    def of_one_element(cls, element: GridElement, classes: Sequence[int], region_count: int) -> Drawn:
        """A structure of a single element: what grids can tell apart. Args: classes: that make it up."""
        alone = np.zeros((3,) * element.dimensions, np.uint8)
        alone[(1,) * element.dimensions] = classes[0]
        return cls.of_labels(element, alone, max(classes) + 1, region_count)

    def count(self, classes: Sequence[int]) -> int:
        """Elements of a structure. Args: classes: that make it up."""
        return sum(self.counts[index] for index in classes)

    def mask(self, classes: Sequence[int]) -> np.ndarray:
        """Where a structure is: bool (*spatial). Raises: ValueError: no more than the counts is known."""
        if self.where is None:
            raise ValueError("the mask of a draw of which only the elements are counted")
        return reduce(np.logical_or, map(self.where, classes))

    def objects(self, classes: Sequence[int]) -> np.ndarray:
        """Objects of a structure, int (*spatial), numbered from 1. Raises: ValueError: no more than the counts is known."""
        if self.numbered is not None:
            return self.numbered
        key = tuple(classes)
        if key not in self._told_apart:  # several targets ask, and it takes longer than all else that they do
            self._told_apart[key] = tell_apart(self.mask(classes))
        return self._told_apart[key]
