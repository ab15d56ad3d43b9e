"""Every draw, on request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from ...networks.draws.draw import Draw
from ..engine.block import Block
from ..engine.reducer import Reducer, Reduction
from ..engine.study_grid import StudyGrid


class KeptDraws(Reducer):
    """Map `samples`, (draws, classes, *spatial), float16 probabilities. The one reducer whose memory grows with the draws."""

    def begin(self, study: StudyGrid) -> None:
        self._samples = torch.zeros(study.draws, study.classes, *study.size, dtype=torch.float16)

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        for draw, value in zip(draws, values, strict=True):
            self._samples[draw.index, :, block.rows] = value.to(torch.float16).cpu()

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        return Reduction(maps={"samples": self._samples})

    @classmethod
    def example(cls) -> KeptDraws:
        return cls()
