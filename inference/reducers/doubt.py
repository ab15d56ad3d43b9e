"""How unsure the mean probability is over a whole study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from ...networks.draws.draw import Draw
from ..engine.block import Block
from ..engine.reducer import Reducer, Reduction
from ..engine.study_grid import StudyGrid


class Doubt(Reducer):
    """Study score `mean_doubt`: 1 - the largest mean probability of the classes, averaged over the study.

    For classes that fill a study between them; where nearly all is background it says nothing.
    """

    needs = ("Moments",)

    def begin(self, study: StudyGrid) -> None:
        """Nothing of its own is kept."""

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        """`Moments` has seen it."""

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        largest = results["Moments"].maps["mean"].amax(dim=0)
        doubt = float(1 - largest.double().mean())
        return Reduction(study_scores={"mean_doubt": round(doubt, 6)})  # beyond lies the order in which draws were merged

    @classmethod
    def example(cls) -> Doubt:
        return cls()
