"""Backbone: a network whose encoder is known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import nn


class Backbone(nn.Module, ABC):
    """What `encode` gives is known here and nowhere else: methods of that name in other people's networks mean other things."""

    @abstractmethod
    def encode(self, windows: torch.Tensor) -> list[torch.Tensor]:
        """Args: windows: (B, C, *spatial). Returns: features from fine to coarse, (B, features, *spatial), nothing random."""

    @abstractmethod
    def decode(self, features: Sequence[torch.Tensor], copies: int = 1) -> torch.Tensor:
        """The rest of the way: `forward` is both. Args: features: of `encode`. copies: how often each window is decoded,
        copy-major, as draws are. Returns: logits, (copies * B, classes, *spatial)."""
