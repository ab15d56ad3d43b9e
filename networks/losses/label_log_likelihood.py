"""Log softmax at the label."""

from __future__ import annotations

import torch


def label_log_likelihood(logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Log probability of each voxel's label.

    Args:
        logits: (samples, B, classes, *spatial).
        label: class numbers, (B, 1, *spatial), of any dtype.

    Returns:
        (samples, B, *spatial).
    """
    index = label.as_subclass(torch.Tensor).long().expand(len(logits), *label.shape)
    return logits.log_softmax(dim=2).gather(2, index).squeeze(2)
