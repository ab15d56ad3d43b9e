"""The most cautious draw's probability of a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from ...networks.draws.draw import Draw
from ..engine.block import Block
from ..engine.reducer import Reducer, Reduction
from ..engine.study_grid import StudyGrid


class LowestProbability(Reducer):
    """Map `lowest_probability`, (1, *spatial): the smallest that any draw gives to one class.

    Args:
        class_index: number of the class.
    """

    def __init__(self, class_index: int) -> None:
        self.class_index = class_index

    def begin(self, study: StudyGrid) -> None:
        self._lowest = torch.ones(1, *study.size, device=study.device)

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        lowest = values[:, self.class_index].amin(dim=0)
        self._lowest[0, block.rows] = torch.minimum(self._lowest[0, block.rows], lowest)

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        return Reduction(maps={"lowest_probability": self._lowest})

    @classmethod
    def example(cls) -> LowestProbability:
        return cls(1)
