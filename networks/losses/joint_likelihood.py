"""Negative log likelihood of a whole label at once."""

from __future__ import annotations

import math

import torch
from torch import nn

from ..draws.logit_distribution import LogitDistribution
from .label_log_likelihood import label_log_likelihood


class JointLikelihood(nn.Module):
    """- log((1 / samples) sum over samples of the product over voxels of softmax(logits)[label]) / voxels, for `LowRankLogits`.

    The average stands outside the product, so that a sample must explain all voxels together: this is what teaches the
    factors. Divided by the number of voxels, it has the size of a cross entropy and suits the same learning rate.
    The best sample alone counts as soon as it leads by a few nats, and at first the samples are of random covariance:
    so the mean is trained first, by cross entropy. And whatever half of the samples do costs no more than ln 2 nats a study,
    be it that they turn all of the background into a structure; the relaxation makes that dear.

    Args:
        classes: of the labels.
        samples: of the logits, an even number; half of them mirror the others.
        warm_up: steps on the cross entropy of the mean. The steps done are a buffer: save the loss with the network.
        relaxation: weight of the mean over the samples of their log likelihood; the logarithm of the mean has the rest.

    Raises:
        ValueError: an odd or no number of samples, a relaxation outside [0, 1).

    Source: Monteiro et al. 2020, equation 5; their code draws samples in mirrored pairs, and sets the covariance of what is
    certainly background to zero. The relaxation is that of Rupprecht et al. 2017 for several heads.
    """

    steps: torch.Tensor

    def __init__(self, classes: int, samples: int = 20, warm_up: int = 0, relaxation: float = 0.0) -> None:
        super().__init__()
        if samples < 2 or samples % 2:
            raise ValueError(f"samples must be an even number, got {samples}")
        if not 0 <= relaxation < 1:
            raise ValueError(f"relaxation must be in [0, 1), got {relaxation}")
        self.classes = classes
        self.samples = samples
        self.warm_up = warm_up
        self.relaxation = relaxation
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def forward(self, packed: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """Args: packed: of `NoisyLogits.distribution`, (B, channels, *spatial). label: class numbers, (B, 1, *spatial).
        Returns: nats a voxel, a scalar."""
        distribution = LogitDistribution.unpack(packed, self.classes)
        self.steps += 1
        if self.steps <= self.warm_up:
            return label_log_likelihood(distribution.mean[None], label).neg().mean()
        logits = distribution.antithetic_logits(self.samples)
        per_study = label_log_likelihood(logits, label).flatten(2).sum(dim=2)  # (samples, B)
        evidence = per_study.logsumexp(dim=0) - math.log(self.samples)
        nats = (1 - self.relaxation) * evidence + self.relaxation * per_study.mean(dim=0)
        return -nats.mean() / label[0].numel()
