"""Cross entropy of labels that may not be known everywhere."""

from __future__ import annotations

import torch
from torch import nn

from .label_log_likelihood import label_log_likelihood


class LabelCrossEntropy(nn.Module):
    """- log softmax at the label, summed over the voxels where it is known and divided by all voxels.

    The same scale as the losses of samplers (`Elbo`, `JointLikelihood`, `BestOfMany`), which leave out the same voxels: networks
    that are to be compared learn from the same labels at the same rate.
    """

    def forward(self, logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """Args: logits: (B, classes, *spatial). label: class numbers, (B, 1, *spatial), negative where it is not known.
        Returns: nats a voxel, a scalar."""
        return -label_log_likelihood(logits.as_subclass(torch.Tensor).float()[None], label).mean()
