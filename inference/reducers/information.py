"""Entropy of the mean, mean entropy, and what lies between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from ...networks.draw import Draw
from ..block import Block
from ..reducer import Reducer, Reduction
from ..study_grid import StudyGrid


class Information(Reducer):
    """Maps in nats, each (1, *spatial): `entropy` of the mean probability, `expected_entropy`, the mean of the draws'
    entropies, and `mutual_information`, their difference, unclipped. Also `variance_within`, the mean over draws of half
    the sum over classes of p (1 - p): the aleatoric part of the split of Kwon et al. 2020. Classes exclude each other
    (softmax).

    What mutual information means depends on what varies: of draws of the model it is epistemic, of draws of raters it is
    disagreement between readings.

    Source: Houlsby et al. 2011 (BALD); Kwon et al. 2020.
    """

    needs = ("Moments",)

    def begin(self, study: StudyGrid) -> None:
        self._entropy = torch.zeros(1, *study.size, device=study.device)
        self._within = torch.zeros(1, *study.size, device=study.device)
        self._draws = study.draws

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        self._entropy[0, block.rows] += entropy(values, axis=1).sum(dim=0)
        self._within[0, block.rows] += (values * (1 - values)).sum(dim=(0, 1)) / 2

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        of_mean = entropy(results["Moments"].maps["mean"], axis=0)[None]
        expected = self._entropy / self._draws
        maps = {"entropy": of_mean, "expected_entropy": expected, "mutual_information": of_mean - expected}
        return Reduction(maps=maps | {"variance_within": self._within / self._draws})

    @classmethod
    def example(cls) -> Information:
        return cls()


def entropy(probability: torch.Tensor, axis: int) -> torch.Tensor:
    """Shannon entropy along an axis, nats; 0 log 0 is 0."""
    return -torch.special.xlogy(probability, probability).sum(dim=axis)
