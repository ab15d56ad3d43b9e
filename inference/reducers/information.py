"""Entropy of the mean, mean entropy, and what lies between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from ...networks.draws.draw import Draw
from ..engine.block import Block
from ..engine.reducer import Reducer, Reduction
from ..engine.study_grid import StudyGrid


class Information(Reducer):
    """Maps in nats, each (1, *spatial): `entropy` of the mean probability, `expected_entropy`, the mean of the draws'
    entropies, and `mutual_information`, their difference, unclipped. Also `variance_within`, the mean over draws of half
    the sum over classes of p (1 - p): the aleatoric part of the split of Kwon et al. 2020. Classes exclude each other
    (softmax).

    What mutual information means depends on what varies: of draws of the model it is epistemic, of draws of raters it is
    disagreement between readings.

    Classes that may overlap (sigmoid, several of them) have maps of their own, (classes, *spatial): the entropy of whether an
    element belongs to the class. Those of single classes add up to nothing, since they are not independent of each other.

    Source: Houlsby et al. 2011 (BALD); Kwon et al. 2020.
    """

    needs = ("Moments",)

    def begin(self, study: StudyGrid) -> None:
        self._overlapping = study.overlapping
        channels = study.classes if study.overlapping else 1
        self._entropy = torch.zeros(channels, *study.size, device=study.device)
        self._within = torch.zeros(channels, *study.size, device=study.device)
        self._draws = study.draws

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        within = (values * (1 - values)).sum(dim=0)  # (classes, rows, *other axes)
        self._entropy[:, block.rows] += entropies(values, 1, self._overlapping).sum(dim=0)
        self._within[:, block.rows] += within if self._overlapping else within.sum(dim=0) / 2

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        moments = results["Moments"].maps
        mean = moments.get("mean_of_draws", moments["mean"])
        of_mean = torch.empty_like(self._entropy)
        for row in range(mean.shape[1]):  # one at a time: the terms of all of them are as large as the mean
            of_mean[:, row] = entropies(mean[:, row], 0, self._overlapping)
        expected = self._entropy.div_(self._draws)
        maps = {"entropy": of_mean, "expected_entropy": expected, "mutual_information": of_mean - expected}
        return Reduction(maps=maps | {"variance_within": self._within.div_(self._draws)})

    @classmethod
    def example(cls) -> Information:
        return cls()


def entropies(probability: torch.Tensor, axis: int, overlapping: bool) -> torch.Tensor:
    """Nats, the classes' axis with one channel, or one a class where classes may overlap."""
    if overlapping:
        return entropy(torch.stack([probability, 1 - probability]), axis=0)
    return entropy(probability, axis).unsqueeze(axis)


def entropy(probability: torch.Tensor, axis: int) -> torch.Tensor:
    """Shannon entropy along an axis, nats; 0 log 0 is 0."""
    return -torch.special.xlogy(probability, probability).sum(dim=axis)
