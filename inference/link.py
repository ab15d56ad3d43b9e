"""From logits to values: applied once a draw, after blending."""

from __future__ import annotations

import torch

LINKS = ("softmax", "sigmoid", "identity")


class Link:
    """Logits into probabilities, and what lies outside the measured region into background.

    Args:
        name: "softmax" (classes exclude each other), "sigmoid" (each for itself) or "identity".
    """

    def __init__(self, name: str) -> None:
        if name not in LINKS:
            raise ValueError(f"link must be one of {', '.join(LINKS)}, got {name}")
        self.name = name

    def __call__(self, logits: torch.Tensor, region: torch.Tensor | None) -> torch.Tensor:
        """Args: logits: (draws, classes, *spatial). region: bool (*spatial), or None. Returns: the same shape as logits."""
        if self.name == "identity":
            return logits
        values = logits.softmax(dim=1) if self.name == "softmax" else logits.sigmoid()
        if region is not None:
            outside = ~region
            values.masked_fill_(outside, 0.0)
            if self.name == "softmax":
                values[:, 0].masked_fill_(outside, 1.0)
        return values
