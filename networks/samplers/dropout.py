"""Draws by channel dropout in a decoder: a window is encoded once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ..backbones.backbone import Backbone
from ..backbones.pooled_features import pool
from ..backbones.residual_unet import ResidualUNet
from ..draws.consistent_dropout import drawing, name_layers
from ..draws.draw import Draw
from ..draws.evaluation_mode import refuse_training_mode
from ..draws.place import Place
from ..draws.sampler import Sampler, Source


class DropoutSampler(Sampler):
    """One consistent dropout mask a draw. In training mode `forward` is ordinary dropout; draws need evaluation mode.

    Args:
        backbone: with channel-wise `ConsistentDropout` layers with p > 0 in its decoder.

    Raises:
        ValueError: the backbone has no such layer, or an element-wise one (`DropoutNetwork` takes those).

    Source: Gal and Ghahramani 2016; one mask a draw for the whole study as measured in docs/draws.md.
    """

    source = Source.MODEL

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone
        self.layers = [layer for layer in name_layers(backbone) if layer.p > 0.0]
        if not self.layers:
            raise ValueError("every draw would be the same: the backbone has no ConsistentDropout layer with p > 0")
        if any(layer.elementwise for layer in self.layers):
            raise ValueError("the backbone has element-wise dropout, whose windows must be aligned: use DropoutNetwork")

    @property
    def settings(self) -> dict[str, Any]:
        """Probability of dropout, layer by layer."""
        return {"dropout": [layer.p for layer in self.layers]}

    def encode(self, windows: torch.Tensor, places: Sequence[Place], context: None) -> Sequence[torch.Tensor]:
        """Args: windows: (B, C, *spatial). Returns: the backbone's features."""
        refuse_training_mode(self)
        return self.backbone.encode(windows)

    def decode(
        self, features: Sequence[torch.Tensor], draws: Sequence[Draw], places: Sequence[Place], context: None
    ) -> torch.Tensor:
        """Args: features: of `encode`. Returns: logits, (draws, B, classes, *spatial)."""
        refuse_training_mode(self)
        with drawing(self.layers, draws, places):
            logits = self.backbone.decode(features, copies=len(draws))  # (draws * B, classes, *spatial)
        return logits.unflatten(0, (len(draws), len(places)))

    def summary(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        """Spatial mean of the deepest features. Returns: (B, channels)."""
        return pool(features)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """The backbone with dropout off. Args: windows: (B, C, *spatial). Returns: logits, (B, classes, *spatial)."""
        return self.backbone(windows)

    @classmethod
    def example(cls) -> DropoutSampler:
        """Three levels, half of the decoder's channels dropped."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return cls(ResidualUNet(2, 1, 2, channels=(4, 6, 8), units=(1, 1, 1), dropout=0.5)).eval()
