"""From a whole study to a Gaussian over its latent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import torch
from torch import nn

from ..backbones.residual_unet import ResidualUnit
from .latent_gaussian import LatentGaussian


class LatentEncoder(nn.Module):
    """Residual units, the mean over all positions, and one linear layer to mean and log deviation.

    The mean is taken over the whole of what is given, a window in training and the study when drawing. A large study is
    run in tiles of equal size that depend on its own size alone, never on the windows that its draws are made in, and the
    features of all tiles go into one mean: memory stays bounded, and only at the tiles' borders do the features differ
    from those of a pass over everything at once. What was trained on windows about a lesion has its lesion diluted in a
    whole scan: train on windows of the extent that is measured.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the input.
        latent: dimensions of the latent.
        channels: features per level, from fine to coarse; each level halves the grid.
        tile: voxels per axis that run at once; the features of a level are held for so many.

    Raises:
        ValueError: no level, no latent dimension, or a tile below the network's stride.
    """

    def __init__(self, spatial_dims: int, in_channels: int, latent: int, channels: Sequence[int], tile: int) -> None:
        super().__init__()
        if not channels or latent < 1:
            raise ValueError(f"a latent needs at least one level and one dimension, got {channels} and {latent}")
        self.stride = 2 ** (len(channels) - 1)
        if tile < self.stride:
            raise ValueError(f"tiles of {tile} are smaller than the encoder's stride {self.stride}")
        self.tile = tile
        pairs = zip((in_channels, *channels), channels, strict=False)
        self.down = nn.Sequential(
            *(ResidualUnit(spatial_dims, coming, going, stride=2 if level else 1) for level, (coming, going) in enumerate(pairs))
        )
        self.gaussian = nn.Linear(channels[-1], 2 * latent)

    def forward(self, study: torch.Tensor) -> LatentGaussian:
        """Args: study: (B, in_channels, *spatial), a window in training. Returns: one Gaussian each, float32 under autocast
        too: the divergence of rounded Gaussians is not that of the exact ones."""
        tiles = [self.down(part).float().flatten(2) for part in self._tiles(study)]
        pooled = torch.cat(tiles, dim=2).mean(dim=2) if len(tiles) > 1 else tiles[0].mean(dim=2)
        with torch.autocast(study.device.type, enabled=False):
            return LatentGaussian.bounded(*self.gaussian(pooled).chunk(2, dim=1))

    def _tiles(self, study: torch.Tensor) -> list[torch.Tensor]:
        """The study in boxes of equal size that begin at multiples of the stride; the last of an axis may be smaller."""
        axes: list[list[slice]] = []
        for extent in study.shape[2:]:
            count = math.ceil(extent / (self.tile - self.tile % self.stride))
            step = math.ceil(extent / count / self.stride) * self.stride
            axes.append([slice(first, min(first + step, extent)) for first in range(0, extent, step)])
        return [study[:, :, *box] for box in product(*axes)]
