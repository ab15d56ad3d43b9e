"""The draws as a choice: alike ones together, ordered by size, each with its frequency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from monai.transforms import Transform
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from ..engine.labels import refuse_overlapping_classes
from ..engine.study_grid import GridElement, element_of_grid
from ..metrics.mask_distance import mask_distance
from ..targets.drawn import Drawn
from ..targets.target import Target


class OrderHypothesesd(Transform):
    """From the draws' label maps on the input's grid (`hypotheses`, made by `Hypotheses`) to those that a person may choose from.

    Draws of a continuous latent are hardly ever equal voxel by voxel. So draws that are alike are one hypothesis, shown by
    the one among them that is nearest to the others. Adds `ordered_hypotheses`, uint8 (hypotheses, *input grid), from small to
    large, and to the result its table `hypotheses`: {number, size, unit, draws, frequency} each, `number` from 1 as in the stack.

    Args:
        measurement: that they are ordered by.
        alike: largest distance, 1 - IoU and mean over classes, of two draws of one hypothesis; 0 joins equal ones alone.

    Source: complete linkage, so that no two draws of a group differ by more.
    """

    def __init__(self, measurement: Target, alike: float = 0.15) -> None:
        self.measurement = measurement
        self.alike = alike

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Args: data: study with `hypotheses`, `probability`, `input` and `result`."""
        refuse_overlapping_classes(data["result"])
        draws = torch.as_tensor(data["hypotheses"]).as_subclass(torch.Tensor)
        classes, image = len(data["probability"]), data["input"]
        element = element_of_grid(image.affine, image.meta, image.ndim - 1)
        inside = int(data["region"].sum()) if "region" in data else draws[0].numel()
        groups = groups_of_alike(draws.cpu().numpy(), range(1, classes), self.alike)
        chosen = [(self._size(draws[shown], classes, inside, element), shown, members) for shown, members in groups]
        chosen.sort(key=lambda one: one[:2])
        table = [
            {
                "number": number,
                "size": size,
                "unit": self.measurement.unit(element),
                "draws": len(members),
                "frequency": len(members) / len(draws),
            }
            for number, (size, _, members) in enumerate(chosen, start=1)
        ]
        stack = draws[[shown for _, shown, _ in chosen]]
        return {**data, "ordered_hypotheses": stack, "result": data["result"] | {"hypotheses": table}}

    def _size(self, labels: torch.Tensor, classes: int, inside: int, element: GridElement) -> float:
        return self.measurement.of(Drawn.of_labels(element, labels.cpu().numpy(), classes, inside))


def groups_of_alike(draws: np.ndarray, classes: range, alike: float) -> list[tuple[int, list[int]]]:
    """Groups in which no two draws are further apart.

    Args:
        draws: (draws, *spatial), labels.
        classes: that are compared.
        alike: largest distance within a group.

    Returns:
        of each group, the draw nearest to the others (the first of equally near ones), and all its draws.
    """
    if len(draws) == 1:
        return [(0, [0])]
    distances = mask_distance(draws, draws, tuple(classes))
    np.fill_diagonal(distances, 0.0)
    number = fcluster(linkage(squareform(distances, checks=False), "complete"), alike, "distance")
    groups = [np.flatnonzero(number == group).tolist() for group in np.unique(number)]
    return [(members[int(distances[np.ix_(members, members)].sum(axis=1).argmin())], members) for members in groups]
