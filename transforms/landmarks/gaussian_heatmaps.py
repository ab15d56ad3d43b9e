"""Landmarks as targets of heatmap regression: `GaussianHeatmapsd`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform


class GaussianHeatmapsd(MapTransform):
    """A Gaussian around each landmark, with its middle where the landmark is and not in the nearest element.

    MONAI's `GenerateHeatmapd` rounds to whole elements, which on a grid of 1 mm moves a target by 0.4 mm on average.
    Each heatmap sums to 1, a distribution over the grid; that of a landmark outside the grid is zero throughout.

    Args:
        keys: of landmarks, (1, landmarks, axes), in elements of the reference's grid.
        refer_key: image on whose grid the heatmaps lie.
        heatmap_key: where they are put, (landmarks, *spatial) float32.
        sigma: of the Gaussian, elements.
    """

    def __init__(self, keys: KeysCollection, refer_key: str, heatmap_key: str, sigma: float) -> None:
        super().__init__(keys)
        self.refer_key = refer_key
        self.heatmap_key = heatmap_key
        self.sigma = sigma

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with landmarks and image. Returns: the same with heatmaps."""
        out = dict(data)
        size = tuple(data[self.refer_key].shape[1:])
        for key in self.key_iterator(out):
            out[self.heatmap_key] = gaussian_heatmaps(torch.as_tensor(out[key])[0], size, self.sigma)
        return out


def gaussian_heatmaps(points: torch.Tensor, size: tuple[int, ...], sigma: float) -> torch.Tensor:
    """See `GaussianHeatmapsd`. Args: points: (landmarks, axes). size: of the grid. Returns: (landmarks, *size) float32."""
    points = points.as_subclass(torch.Tensor).double()
    extent = torch.tensor(size, dtype=torch.float64)
    inside = ((points >= -0.5) & (points <= extent - 0.5)).all(dim=1)
    maps = torch.ones(len(points), *[1] * len(size), dtype=torch.float64)
    for axis, length in enumerate(size):
        profile = torch.exp(-0.5 * ((torch.arange(length) - points[:, axis, None]) / sigma) ** 2)
        profile /= profile.sum(dim=1, keepdim=True).clamp_min(torch.finfo(torch.float64).tiny)
        shape = [len(points)] + [length if other == axis else 1 for other in range(len(size))]
        maps = maps * profile.reshape(shape)
    return (maps * inside.reshape(-1, *[1] * len(size))).float()
