"""From logits to values: applied once a draw, after blending."""

from __future__ import annotations

import math

import torch

LINKS = ("softmax", "sigmoid", "identity")


class Link:
    """Logits into probabilities, and what lies outside the measured region into background.

    Args:
        name: "softmax" (classes exclude each other), "sigmoid" (each for itself: they may overlap, and the background, which
            has no logit, is where none is) or "identity".
        temperature: the logits of every draw are divided by it first (Guo et al. 2017); 1 for "identity".

    Raises:
        ValueError: an unknown name, or a temperature that is not above zero or not 1 for "identity".
    """

    def __init__(self, name: str, temperature: float = 1.0) -> None:
        if name not in LINKS:
            raise ValueError(f"link must be one of {', '.join(LINKS)}, got {name}")
        if not 0 < temperature < math.inf or (name == "identity" and temperature != 1):
            raise ValueError(f"a temperature of {temperature} does not go with the link {name}")
        self.name = name
        self.temperature = float(temperature)

    def __call__(self, logits: torch.Tensor, region: torch.Tensor | None) -> torch.Tensor:
        """Args: logits: (draws, classes, *spatial). region: bool (*spatial), or None.

        Returns:
            the same shape; of the sigmoid one class more, the background first: 1 - the largest probability.
        """
        if self.name == "identity":
            return logits
        logits = logits if self.temperature == 1 else logits / self.temperature
        values = logits.softmax(dim=1) if self.name == "softmax" else _with_background(logits.sigmoid())
        if region is not None:
            outside = ~region
            values.masked_fill_(outside, 0.0)
            values[:, 0].masked_fill_(outside, 1.0)
        return values


def _with_background(classes: torch.Tensor) -> torch.Tensor:
    return torch.cat([1 - classes.amax(dim=1, keepdim=True), classes], dim=1)
