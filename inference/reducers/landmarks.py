"""Where each landmark is in every draw, and how wide its heatmaps are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ...networks.draws.draw import Draw
from ...transforms.files.answers import LANDMARK
from ..engine.block import Block
from ..engine.heatmaps import covariances_of, heatmaps_of, positions_of
from ..engine.reducer import Reducer, Reduction
from ..engine.study_grid import StudyGrid

NETWORK_GRID = "elements of the network grid"


class Landmarks(Reducer):
    """Answers, in elements of the network grid; `PointsOnInputGridd` brings them to the image's own.

    Values are logits (link "identity"), a channel a landmark; a draw's heatmap is their softmax over the grid. Each entry has

    - `value`: mean of the draws' positions;
    - `draws`: their number, mean, covariance (divided by K - 1, None for one draw) and values;
    - `heatmap_covariance`: mean over draws of the covariance of the draw's own heatmap around its maximum; the target's Gaussian
      is part of it;
    - `total_covariance`: that plus the covariance of the draws;
    - `mean_distance_to_mean`: mean over draws of the distance of a draw's position to their mean, None for one draw. Drevicky
      and Kodym 2020 call it "variance"; it is a length;
    - `heatmap_activation`: mean over draws of the heatmap's maximum.

    A heatmap is held for one draw at a time; per draw stay a position and a few sums.

    Args:
        names: of the landmarks, one a channel.

    Raises:
        ValueError: channels and names that are not as many.

    Source: law of total covariance; Drevicky and Kodym 2020, "Evaluating deep learning uncertainty measures in cephalometric
    landmark localization".
    """

    whole_study = True

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)

    def begin(self, study: StudyGrid) -> None:
        """See `Reducer`."""
        if study.classes != len(self.names):
            raise ValueError(f"the sampler has {study.classes} channels, the bundle names {len(self.names)} landmarks")
        self._positions: list[torch.Tensor] = []
        self._covariance = torch.zeros(len(self.names), len(study.size), len(study.size), dtype=torch.float64)
        self._activation = torch.zeros(len(self.names), dtype=torch.float64)

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        """See `Reducer`."""
        for logits in values:  # one by one: sums over several would depend on the cut into chunks
            heatmaps = heatmaps_of(logits)
            self._positions.append(positions_of(heatmaps).double().cpu())
            self._covariance += covariances_of(heatmaps).double().cpu()
            self._activation += heatmaps.flatten(1).amax(dim=1).double().cpu()

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        """See `Reducer`."""
        positions = torch.stack(self._positions, dim=1)  # (landmarks, draws, axes)
        return Reduction(answers=[self._state(index, positions[index]) for index in range(len(self.names))])

    def _state(self, index: int, positions: torch.Tensor) -> dict[str, Any]:
        """One landmark's entry. Args: positions: (draws, axes)."""
        count, mean = len(positions), positions.mean(dim=0)
        heatmap = self._covariance[index] / count
        spread = torch.cov(positions.T) if count > 1 else None
        distance = float((positions - mean).norm(dim=1).mean()) if count > 1 else None
        draws = {
            "n": count,
            "mean": mean.tolist(),
            "covariance": None if spread is None else spread.tolist(),
            "values": positions.tolist(),
        }
        return {
            "kind": LANDMARK,
            "name": self.names[index],
            "title": self.names[index],
            "unit": NETWORK_GRID,
            "value": mean.tolist(),
            "draws": draws,
            "heatmap_covariance": heatmap.tolist(),
            "total_covariance": (heatmap if spread is None else heatmap + spread).tolist(),
            "mean_distance_to_mean": distance,
            "heatmap_activation": float(self._activation[index] / count),
            "region": None,
            "simultaneous_region": None,
            "statement": "",
        }

    @classmethod
    def example(cls) -> Landmarks:
        """See `Reducer.example`."""
        return cls(["first", "second", "third"])
