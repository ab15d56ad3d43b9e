"""Minus the evidence lower bound of a label."""

from __future__ import annotations

import torch
from torch import nn

from .reconstruction import Reconstruction


class Elbo(nn.Module):
    """(cross entropy summed over voxels + beta * divergence of posterior and prior) / voxels, for `LatentSampler`.

    The bound is one of the whole label, so the cross entropy is a sum; a mean beside an undivided divergence would weigh
    that by the number of voxels too much, and the latent would fall silent. Both are divided by the voxels of a window
    afterwards, so that the loss has the size of a cross entropy and suits the same learning rate.

    Args:
        beta: weight of the divergence; 1 is the bound itself.

    Raises:
        ValueError: a negative beta.

    Source: Kohl et al. 2018, equation 4; Higgins et al. 2017 (beta).
    """

    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        if not beta >= 0:
            raise ValueError(f"beta must not be negative, got {beta}")
        self.beta = beta

    def forward(self, packed: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """Args: packed: of `LatentSampler.explain`, (B, classes + 1, *spatial). label: class numbers, (B, 1, *spatial).
        Returns: nats a voxel, a scalar."""
        return -Reconstruction.unpack(packed).elbo(label, self.beta).mean() / label[0].numel()
