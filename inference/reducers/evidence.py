"""Where the draws see what speaks for a class, and how far they agree about it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch

from ...networks.draws.draw import Draw
from ..engine.block import Block
from ..engine.reducer import Reducer, Reduction
from ..engine.study_grid import StudyGrid

STRONGEST = 0.1
"""Share of the elements that count as what a draw looks at."""


class Evidence(Reducer):
    """Maps, (1, *spatial), of what speaks for the last class against the mean of the others, in logits.

    `evidence` is the mean over the draws, `evidence_sd` their standard deviation (divided by K), and `evidence_share` the share
    of draws in which an element is among the strongest tenth. Of a network whose last layer is linear this is its class
    activation map, and GradCAM before its rectifier; each draw has its own.

    Study scores, for the question whether the spread knows when the map misses: `evidence_disagreement`, 1 less the mean share of
    draws at the strongest tenth of the mean map; `evidence_spread`, mean standard deviation over the map's range.

    Source: Zhou et al. 2016; Selvaraju et al. 2017.
    """

    whole_study = True

    def begin(self, study: StudyGrid) -> None:
        """See `Reducer`."""
        self._count = 0
        self._mean, self._deviations, self._among = (torch.zeros(study.size, dtype=torch.float64) for _ in range(3))

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        """See `Reducer`."""
        for logits in values:  # one by one: sums over several would depend on the cut into chunks
            own = evidence_of(logits).double().cpu()
            self._count += 1
            off = own - self._mean
            self._mean += off / self._count
            self._deviations += off * (own - self._mean)
            self._among += strongest(own)

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        """See `Reducer`."""
        sd, share = (self._deviations / self._count).sqrt(), self._among / self._count
        scores = {"evidence_disagreement": float(1 - share[strongest(self._mean)].mean())}
        if extent := float(self._mean.max() - self._mean.min()):
            scores["evidence_spread"] = float(sd.mean()) / extent
        maps = {"evidence": self._mean, "evidence_sd": sd, "evidence_share": share}
        return Reduction(maps={name: values.float()[None] for name, values in maps.items()}, study_scores=scores)

    @classmethod
    def example(cls) -> Evidence:
        """See `Reducer.example`."""
        return cls()


def evidence_of(logits: torch.Tensor) -> torch.Tensor:
    """The last class against the mean of the others. Args: logits: (classes, *spatial). Returns: (*spatial)."""
    return logits[-1] - logits[:-1].mean(dim=0)


def strongest(values: torch.Tensor) -> torch.Tensor:
    """Where a map is at least as large as its largest tenth. Args: values: (*spatial). Returns: bool, the same shape."""
    rank = values.numel() - max(1, math.floor(STRONGEST * values.numel())) + 1
    return values >= values.flatten().kthvalue(rank).values
