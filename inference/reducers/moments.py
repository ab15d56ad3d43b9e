"""Mean and variance of the probability over the draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from ...networks.draws.draw import Draw
from ..engine.block import Block
from ..engine.reducer import Reducer, Reduction
from ..engine.study_grid import StudyGrid


class Moments(Reducer):
    """Maps `mean`, (classes, *spatial), and `variance`, (1, *spatial); of classes that may overlap one a class. Where the sampler
    states another answer than the mean, that is `mean`, and the mean itself is `mean_of_draws`.

    The variance divides by the number of draws K, and is half its sum over the classes: for two classes the variance of the
    foreground's probability. It is the epistemic part of the split of Kwon et al. 2020, "Uncertainty quantification
    using Bayesian neural networks in classification"; see `Information` for the other part.

    Source: merging of means and squared deviations, Chan, Golub and LeVeque 1983.
    """

    def begin(self, study: StudyGrid) -> None:
        self._mean = torch.zeros(study.classes, *study.size, device=study.device)
        self._overlapping = study.overlapping
        self._deviations = torch.zeros(study.classes if study.overlapping else 1, *study.size, device=study.device)
        self._seen = torch.zeros(study.size[0], dtype=torch.int64)
        self._draws = study.draws
        self._stated: torch.Tensor | None = None

    def state(self, values: torch.Tensor) -> None:
        self._stated = values

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        rows = block.rows
        before, new = int(self._seen[block.start]), len(draws)
        mean = values.mean(dim=0)
        inner = ((values - mean) ** 2).sum(dim=0)
        shift = mean - self._mean[:, rows]
        between = shift**2 * (before * new / (before + new))
        deviations = inner + between  # (classes, rows, *other axes)
        self._deviations[:, rows] += deviations if self._overlapping else deviations.sum(dim=0) / 2
        self._mean[:, rows] += shift * (new / (before + new))
        self._seen[rows] += new

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        maps = {"mean": self._mean, "variance": self._deviations.div_(self._draws)}
        return Reduction(maps=maps if self._stated is None else maps | {"mean": self._stated, "mean_of_draws": self._mean})

    @classmethod
    def example(cls) -> Moments:
        return cls()
