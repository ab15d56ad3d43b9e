"""Loss of heatmaps: each landmark's place is one choice among all elements of the grid."""

from __future__ import annotations

import torch
from torch import nn


class HeatmapCrossEntropy(nn.Module):
    """Cross-entropy between a target distribution over the grid and the softmax of a landmark's channel over all elements.

    A proper score of where the landmark is, so that the softmax of the trained network is its own opinion: as wide as raters
    place a landmark differently, widened by the target's Gaussian. Mean squared error on a map that is zero nearly everywhere
    (as in Payer et al. 2016) says nothing of the width and needs a weight for the rare bright elements.

    Source: the softmax over the grid as in Sun et al. 2018, "Integral human pose regression".
    """

    def forward(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Args: both (B, landmarks, *spatial); target: sums to 1 over the grid, or is zero throughout, and then left out.
        Returns: mean over the landmarks that are there, nats; 0 where there is none."""
        target = target.as_subclass(torch.Tensor).flatten(2)
        logits = logits.as_subclass(torch.Tensor).flatten(2)
        present = target.sum(dim=2) > 0
        # The target sums to 1, so the normaliser leaves the sum: no map of log-probabilities is made.
        nats = torch.logsumexp(logits, dim=2) - (logits * target).sum(dim=2)
        return (nats * present).sum() / present.sum().clamp_min(1)
