"""A loss that looks closely where two objects nearly touch: `NarrowGapLoss`."""

from __future__ import annotations

import torch
from monai.losses import DiceLoss
from torch import nn
from torch.nn import functional as F


class NarrowGapLoss(nn.Module):
    """Cross-entropy with a weight of its own on narrow gaps, and Dice.

    A gap is what a closing of the structure fills. It is few pixels, and whether objects merge is decided there.

    Args:
        weight: of a gap's pixels; 1 everywhere else.
        reach: gaps of up to this many pixels are narrow.

    Raises:
        ValueError: a weight below 1, a reach below 1.

    Source: after Ronneberger et al. 2015, equation 2, whose weights fall off with the distance to the two nearest cells.
    """

    def __init__(self, weight: float = 5.0, reach: int = 4) -> None:
        super().__init__()
        if weight < 1 or reach < 1:
            raise ValueError(f"weight and reach must be at least 1, got {weight} and {reach}")
        self.weight = weight
        self.reach = reach
        self.dice = DiceLoss(softmax=True, include_background=False, batch=True, smooth_nr=20.0, smooth_dr=20.0)

    def forward(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Args: logits: (B, 2, x, y). target: shares of background and structure, likewise. Returns: one number."""
        weights = 1 + (self.weight - 1) * self.gaps(target[:, 1:])
        entropy = F.cross_entropy(logits, target, reduction="none")[:, None]
        return (weights * entropy).sum() / weights.sum() + self.dice(logits, target)

    def gaps(self, structure: torch.Tensor) -> torch.Tensor:
        """How much of each pixel is gap: closing less structure. Args: structure: (B, 1, x, y). Returns: the same shape."""
        side = 2 * ((self.reach + 1) // 2) + 1
        grown = F.max_pool2d(structure, side, stride=1, padding=side // 2)
        closed = -F.max_pool2d(-grown, side, stride=1, padding=side // 2)
        return (closed - structure).clamp(min=0)
