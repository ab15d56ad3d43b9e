"""How much each draw labels as any structure: the study's score, and one a draw."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch

from ...networks.draws.draw import Draw
from ..engine.block import Block
from ..engine.reducer import Reducer, Reduction
from ..engine.study_grid import StudyGrid

NAME = "draw_extent"


class DrawExtent(Reducer):
    """Study score `draw_extent`: the area or volume of whatever each draw labels as any structure, in mm2 or mm3 where the
    spacing is known, else in pixels or voxels; the mean over the draws, and every draw's own.

    A network that is shown another part of the body answers with a size that no unit of calibration had: a gate may look at that
    also where nothing but masks was kept of the units.
    """

    def begin(self, study: StudyGrid) -> None:
        self._count = torch.zeros(study.draws, dtype=torch.int64)
        self._element = study.element.size

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        found = (block.labels > 0).flatten(start_dim=1).sum(dim=1)
        self._count[[draw.index for draw in draws]] += found.cpu()

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        each = [count * self._element for count in self._count.tolist()]
        return Reduction(study_scores={NAME: math.fsum(each) / len(each)}, draw_scores={NAME: each})

    @classmethod
    def example(cls) -> DrawExtent:
        return cls()
