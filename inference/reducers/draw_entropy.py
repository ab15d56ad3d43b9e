"""How unsure each draw is by itself: the study's score, and one a draw."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch

from ...networks.draws.draw import Draw
from ..engine.block import Block
from ..engine.reducer import Reducer, Reduction
from ..engine.study_grid import StudyGrid
from .information import entropies

NAME = "draw_entropy"
DIGITS = 9
"""Beyond lies the order in which blocks were added."""


class DrawEntropy(Reducer):
    """Study score `draw_entropy`: of each draw alone, the sum of its entropies in nats by how many elements it labels as any
    structure; the mean over the draws, and every draw's own.

    Of an ensemble a draw is one network, so what a network says of a study that it has not seen is kept: that is what a gate of
    cross-validation may look at, where the entropy of the mean is that of networks that have. NaN where a draw finds nothing.
    """

    def begin(self, study: StudyGrid) -> None:
        self._entropy = torch.zeros(study.draws, dtype=torch.float64)
        self._found = torch.zeros(study.draws, dtype=torch.float64)
        self._overlapping = study.overlapping

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        index = [draw.index for draw in draws]
        of_block = entropies(values, 1, self._overlapping).flatten(start_dim=1)
        self._entropy[index] += of_block.sum(dim=1, dtype=torch.float64).cpu()
        self._found[index] += (block.labels > 0).flatten(start_dim=1).sum(dim=1).double().cpu()

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        each = [
            round(entropy / found, DIGITS) if found else math.nan
            for entropy, found in zip(self._entropy.tolist(), self._found.tolist(), strict=True)
        ]
        return Reduction(study_scores={NAME: math.fsum(each) / len(each)}, draw_scores={NAME: each})

    @classmethod
    def example(cls) -> DrawEntropy:
        return cls()
