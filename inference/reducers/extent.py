"""How large each structure is: in the reported mask, and in every draw."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ...networks.draw import Draw
from ..block import Block
from ..labels import count_classes, labels_of
from ..measurement import Measurement
from ..reducer import Reducer, Reduction
from ..statement import state_measurement
from ..study_grid import StudyGrid


class Extent(Reducer):
    """Counts the elements of each class in each draw's own mask and in the reported one, and turns the counts into measurements.

    The reported mask is the arg-max of the mean probability; the value of a draw is that of the draw's arg-max. Of classes that
    stand for themselves (link sigmoid) each is where its own probability is at least a half, whatever overlaps it.

    Args:
        measurements: quantities that are functions of the counts.

    Raises:
        ValueError: a measurement of several classes that may overlap: the sum of their counts is no extent.
    """

    needs = ("Moments",)

    def __init__(self, measurements: Sequence[Measurement]) -> None:
        self.measurements = list(measurements)

    def begin(self, study: StudyGrid) -> None:
        if study.overlapping and any(len(measurement.classes) != 1 for measurement in self.measurements):
            raise ValueError("classes that may overlap are measured one by one: the sum of their elements is no extent")
        self._study = study
        self._counts: dict[int, list[int]] = {}

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        for draw, value, labels in zip(draws, values, block.labels, strict=True):
            counts = count_classes(value, labels, self._study.independent)
            before = self._counts.get(draw.index, [0] * len(counts))
            self._counts[draw.index] = [sum(pair) for pair in zip(before, counts, strict=True)]

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        mean, independent = results["Moments"].maps["mean"], self._study.independent
        reported = count_classes(mean, labels_of(mean, 0, independent), independent)
        region_count = math.prod(self._study.size) if self._study.region is None else int(self._study.region.sum())
        return Reduction(measurements=[self._state(measurement, reported, region_count) for measurement in self.measurements])

    def _state(self, measurement: Measurement, reported: Sequence[int], region_count: int) -> dict[str, Any]:
        element = self._study.element
        value = measurement.value(reported, region_count, element)
        draws = [measurement.value(counts, region_count, element) for _, counts in sorted(self._counts.items())]
        stated = state_measurement(measurement.name, measurement.title, measurement.unit(element), value, draws)
        return stated | {"classes": list(measurement.classes)}

    @classmethod
    def example(cls) -> Extent:
        from ..measurements.area import Area

        return cls([Area("area", "Object", (1,))])
