"""What each target is: in the reported mask, and in every draw."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ...networks.draws.draw import Draw
from ..engine.block import Block
from ..engine.labels import count_classes, labels_of
from ..engine.reducer import Reducer, Reduction
from ..engine.study_grid import StudyGrid
from ..targets.drawn import Drawn
from ..targets.statement import state_measurement
from ..targets.target import Target


@dataclass
class _Part:
    """What has come of one draw.

    Args:
        counts: elements of each class. masks: of the classes that are looked at, bool (*spatial). rows: how many have come.
    """

    counts: list[int]
    masks: dict[int, torch.Tensor]
    rows: int = 0


class Extent(Reducer):
    """Measures each draw's own mask as soon as it is whole, and the reported one.

    The reported mask is the arg-max of the mean probability; the value of a draw is that of the draw's arg-max. Of classes that
    stand for themselves (link sigmoid) each is where its own probability is at least a half, whatever overlaps it.

    Elements are counted as they come. Where a target needs the mask, a byte an element is held for each of its classes and each
    draw of the chunk, until the last row has come.

    Args:
        measurements: what the bundle states.

    Raises:
        ValueError: a target of several classes that may overlap: the sum of their counts is no extent; a target that there is not
            on such a grid.
    """

    needs = ("Moments",)

    def __init__(self, measurements: Sequence[Target]) -> None:
        self.measurements = list(measurements)

    def begin(self, study: StudyGrid) -> None:
        if study.overlapping and any(len(target.classes) != 1 for target in self.measurements):
            raise ValueError("classes that may overlap are measured one by one: the sum of their elements is no extent")
        self._study = study
        self._units = [target.unit(study.element) for target in self.measurements]
        self._region_count = math.prod(study.size) if study.region is None else int(study.region.sum())
        self._looked_at = sorted({index for target in self.measurements if target.needs_mask for index in target.classes})
        self._parts: dict[int, _Part] = {}
        self._values: dict[int, list[float]] = {}

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        masks = {index: block.mask(index) for index in self._looked_at}
        for position, (draw, value, labels) in enumerate(zip(draws, values, block.labels, strict=True)):
            part = self._parts.setdefault(draw.index, self._new_part())
            counts = count_classes(value, labels, self._study.independent)
            part.counts = [sum(pair) for pair in zip(part.counts, counts, strict=True)]
            for index, mask in masks.items():
                part.masks[index][block.rows] = mask[position]
            part.rows += block.stop - block.start
            if part.rows == self._study.size[0]:
                self._values[draw.index] = self._measure(self._parts.pop(draw.index))

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        mean, study = results["Moments"].maps["mean"], self._study
        labels = labels_of(mean, 0, study.independent)
        reported = Drawn.of_probability(study.element, mean, labels, study.independent, self._region_count)
        draws = zip(*(values for _, values in sorted(self._values.items())), strict=True)
        stated = zip(self.measurements, self._units, draws, strict=True)
        return Reduction(answers=[self._state(target, unit, target.of(reported), own) for target, unit, own in stated])

    def _new_part(self) -> _Part:
        empty = {index: torch.zeros(self._study.size, dtype=torch.bool, device=self._study.device) for index in self._looked_at}
        return _Part([0] * self._study.classes, empty)

    def _measure(self, part: _Part) -> list[float]:
        """Every target of one draw."""
        masks = {index: mask.cpu().numpy() for index, mask in part.masks.items()}
        drawn = Drawn(self._study.element, part.counts, self._region_count, masks.__getitem__)
        return [target.of(drawn) for target in self.measurements]

    def _state(self, target: Target, unit: str, value: float, draws: Sequence[float]) -> dict[str, Any]:
        most = target.at_most(self._study.element, self._region_count)
        stated = state_measurement(target.name, target.title, unit, value if target.found(value) else None, draws)
        return stated | {"at_most": most, "classes": list(target.classes)}

    @classmethod
    def example(cls) -> Extent:
        from ..targets.area import Area
        from ..targets.largest_diameter import LargestDiameter

        return cls([Area("area", "Object", (1,)), LargestDiameter("diameter", "Object", (2,))])
