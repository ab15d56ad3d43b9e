"""How large each structure is: in the reported mask, and in every draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ...networks.draw import Draw
from ..block import Block
from ..labels import count_labels, labels_of
from ..measurement import Measurement
from ..reducer import Reducer, Reduction
from ..statement import state_measurement
from ..study_grid import StudyGrid


class Extent(Reducer):
    """Counts the elements of each class in each draw's own mask and in the reported one, and turns the counts into measurements.

    The reported mask is the arg-max of the mean probability; the value of a draw is that of the draw's arg-max.

    Args:
        measurements: quantities that are functions of the counts.
    """

    needs = ("Moments",)

    def __init__(self, measurements: Sequence[Measurement]) -> None:
        self.measurements = list(measurements)

    def begin(self, study: StudyGrid) -> None:
        self._study = study
        self._counts: dict[int, torch.Tensor] = {}

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        for draw, label_map in zip(draws, block.labels, strict=True):
            counts = count_labels(label_map, self._study.classes)
            self._counts[draw.index] = self._counts.get(draw.index, 0) + counts

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        reported = count_labels(labels_of(results["Moments"].maps["mean"], axis=0), self._study.classes)
        region_count = int(reported.sum()) if self._study.region is None else int(self._study.region.sum())
        return Reduction(measurements=[self._state(measurement, reported, region_count) for measurement in self.measurements])

    def _state(self, measurement: Measurement, reported: torch.Tensor, region_count: int) -> dict[str, Any]:
        element = self._study.element
        value = measurement.value(reported.tolist(), region_count, element)
        draws = [measurement.value(counts.tolist(), region_count, element) for _, counts in sorted(self._counts.items())]
        stated = state_measurement(measurement.name, measurement.title, measurement.unit(element), value, draws)
        return stated | {"classes": list(measurement.classes)}

    @classmethod
    def example(cls) -> Extent:
        from ..measurements.area import Area

        return cls([Area("area", "Object", (1,))])
