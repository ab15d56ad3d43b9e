"""How far the draws agree: the study's score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from ...networks.draws.draw import Draw
from ..engine.block import Block
from ..engine.reducer import Reducer, Reduction
from ..engine.study_grid import StudyGrid


class Agreement(Reducer):
    """Study score `pooled_pairwise_dice`: the Dice of all pairs of draws, pooled over pairs, foreground classes and voxels.

    sum c (c - 1) / ((K - 1) sum c), where c is the number of K draws that give a voxel a class; 1 where no draw gives
    any; absent for one draw. Pairs share the denominator, so it needs the counts alone and streams.
    """

    def begin(self, study: StudyGrid) -> None:
        self._dtype = torch.uint8 if study.draws < 256 else torch.int32
        self._counts = torch.zeros(study.classes - 1, *study.size, dtype=self._dtype, device=study.device)
        self._draws = study.draws

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        for index, counts in enumerate(self._counts, start=1):
            counts[block.rows] += block.mask(index).sum(dim=0, dtype=self._dtype)

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        if self._draws < 2:
            return Reduction()
        total = pairs = 0
        for rows in self._counts.flatten(end_dim=1):  # a few at a time: in 64 bits all of them are eight times the counts
            counts = rows.long()
            total += int(counts.sum())
            pairs += int((counts * (counts - 1)).sum())
        return Reduction(study_scores={"pooled_pairwise_dice": pairs / ((self._draws - 1) * total) if total else 1.0})

    @classmethod
    def example(cls) -> Agreement:
        return cls()
