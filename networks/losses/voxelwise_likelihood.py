"""Negative log likelihood of each voxel's label for itself."""

from __future__ import annotations

import math

import torch
from torch import nn

from ..draws.logit_distribution import LogitDistribution
from .label_log_likelihood import label_log_likelihood


class VoxelwiseLikelihood(nn.Module):
    """- mean over voxels of log((1 / samples) sum over samples of softmax(logits)[label]), for `GaussianLogits`.

    Args:
        classes: of the labels.
        samples: of the logits, an even number; half of them mirror the others.

    Raises:
        ValueError: an odd or no number of samples.

    Source: Kendall and Gal 2017, equation 12.
    """

    def __init__(self, classes: int, samples: int = 10) -> None:
        super().__init__()
        if samples < 2 or samples % 2:
            raise ValueError(f"samples must be an even number, got {samples}")
        self.classes = classes
        self.samples = samples

    def forward(self, packed: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """Args: packed: of `NoisyLogits.distribution`, (B, channels, *spatial). label: class numbers, (B, 1, *spatial).
        Returns: nats a voxel, a scalar."""
        logits = LogitDistribution.unpack(packed, self.classes).antithetic_logits(self.samples)
        per_sample = label_log_likelihood(logits, label)  # (samples, B, *spatial)
        return per_sample.logsumexp(dim=0).neg().mean() + math.log(self.samples)
