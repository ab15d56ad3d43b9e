"""Log softmax at the label."""

from __future__ import annotations

import torch


def label_log_likelihood(logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Log probability of each voxel's label.

    Args:
        logits: (samples, B, classes, *spatial).
        label: class numbers, (B, 1, *spatial), of any dtype; negative where it is not known.

    Returns:
        (samples, B, *spatial), 0 where the label is not known.
    """
    index = label.as_subclass(torch.Tensor).long()
    found = logits.log_softmax(dim=2).gather(2, index.clamp_min(0).expand(len(logits), *index.shape)).squeeze(2)
    return found * (index >= 0).squeeze(1)
