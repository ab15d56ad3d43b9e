"""The first draws as label maps, for pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from ...networks.draws.draw import Draw
from ..engine.block import Block
from ..engine.reducer import Reducer, Reduction
from ..engine.study_grid import StudyGrid


class Hypotheses(Reducer):
    """Map `hypotheses`, (min(limit, draws), *spatial), uint8: what the first draws say.

    Args:
        limit: how many are held, whatever the number of draws.
    """

    def __init__(self, limit: int = 8) -> None:
        self.limit = limit

    def begin(self, study: StudyGrid) -> None:
        self._labels = torch.zeros(min(self.limit, study.draws), *study.size, dtype=torch.uint8, device=study.device)

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        if draws[0].index >= len(self._labels):
            return
        for draw, labels in zip(draws, block.labels, strict=True):
            if draw.index < len(self._labels):
                self._labels[draw.index, block.rows] = labels

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        return Reduction(maps={"hypotheses": self._labels})

    @classmethod
    def example(cls) -> Hypotheses:
        return cls(limit=2)
