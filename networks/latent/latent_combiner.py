"""A latent mixed into a feature map: the one part of a latent model that runs once a draw."""

from __future__ import annotations

import torch
from monai.networks.layers.factories import Conv
from torch import nn
from torch.nn import functional as F


class LatentCombiner(nn.Module):
    """Layers of kernel 1 over features and a latent that is the same at every voxel.

    The first layer is linear in both, so its product with the features is formed once a window (`project`) and the latent
    only adds a bias a channel: the same as concatenating the tiled latent, for the price of one addition.

    Args:
        spatial_dims: 2 or 3.
        channels: of the features, kept through all layers.
        latent: dimensions of the latent.
        layers: of kernel 1, each followed by a rectifier.

    Raises:
        ValueError: no layer.

    Source: Kohl et al. 2018, f_comb: three such layers.
    """

    def __init__(self, spatial_dims: int, channels: int, latent: int, layers: int = 3) -> None:
        super().__init__()
        if layers < 1:
            raise ValueError(f"a latent enters by at least one layer, got {layers}")
        convolution = Conv[Conv.CONV, spatial_dims]
        self.features = convolution(channels, channels, 1)
        self.latent = nn.Linear(latent, channels, bias=False)
        self.further = nn.ModuleList(convolution(channels, channels, 1) for _ in range(layers - 1))

    def project(self, features: torch.Tensor) -> torch.Tensor:
        """The part that all latents share. Args: features: (B, channels, *spatial). Returns: the same shape."""
        return self.features(features)

    def forward(self, projected: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """Args: projected: of `project`, (B, channels, *spatial). latents: (draws, B or 1, latent).
        Returns: (draws * B, channels, *spatial), draw-major."""
        bias = self.latent(latents).to(projected.dtype)
        bias = bias.reshape(*bias.shape, *[1] * (projected.ndim - 2))
        mixed = F.relu(projected + bias, inplace=True).flatten(0, 1)
        for layer in self.further:
            mixed = F.relu(layer(mixed), inplace=True)
        return mixed
