"""The loss of several heads of which the best is trained."""

from __future__ import annotations

import torch
from torch import nn

from .label_log_likelihood import label_log_likelihood


class BestOfMany(nn.Module):
    """Cross entropy of the head that explains a label best, and a little of all others', for `MultiHead`.

    The best head is chosen for a whole label, not voxel by voxel: a head is to be a hypothesis. The relaxation keeps alive
    heads that never win; without it one good head starves the others.

    Args:
        classes: of the labels.
        relaxation: weight of all heads but the best, shared equally; the best has the rest.

    Raises:
        ValueError: a relaxation outside [0, 1).

    Source: Guzman-Rivera et al. 2012 (oracle loss); Rupprecht et al. 2017, equation 10 (relaxation of 0.05).
    """

    def __init__(self, classes: int, relaxation: float = 0.05) -> None:
        super().__init__()
        if not 0 <= relaxation < 1:
            raise ValueError(f"relaxation must be in [0, 1), got {relaxation}")
        self.classes = classes
        self.relaxation = relaxation

    def forward(self, packed: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """Args: packed: of `MultiHead.all_heads`, (B, heads * classes, *spatial). label: class numbers, (B, 1, *spatial).
        Returns: nats a voxel, a scalar.

        Raises:
            ValueError: a number of channels that is no two or more heads of so many classes.
        """
        heads, rest = divmod(packed.shape[1], self.classes)
        if rest or heads < 2:
            raise ValueError(f"{packed.shape[1]} channels are no two or more heads of {self.classes} classes")
        logits = packed.as_subclass(torch.Tensor).float().unflatten(1, (heads, self.classes)).transpose(0, 1)
        entropy = -label_log_likelihood(logits, label).flatten(2).mean(dim=2)  # (heads, B)
        best = entropy.min(dim=0).values
        others = (entropy.sum(dim=0) - best) / (heads - 1)
        return ((1 - self.relaxation) * best + self.relaxation * others).mean()
