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


class HeadedBackbone(Backbone):
    """A backbone whose last layer is known, so that a sampler can put a head of another kind in its place.

    Attributes:
        head: convolution of kernel 1 to the logits, on what `decode_features` answers.
    """

    head: nn.Conv1d | nn.Conv2d | nn.Conv3d

    @abstractmethod
    def decode_features(self, features: Sequence[torch.Tensor], copies: int = 1) -> torch.Tensor:
        """What the head sees. Args: as `decode`. Returns: (copies * B, features, *spatial)."""
