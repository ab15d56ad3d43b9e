"""Draws by several networks that share all but their last layer, and by dropout inside what they share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional as F

from ..backbones.backbone import HeadedBackbone
from ..backbones.pooled_features import pool
from ..backbones.residual_unet import ResidualUNet
from ..draws.consistent_dropout import drawing, name_layers
from ..draws.draw import Draw
from ..draws.evaluation_mode import refuse_training_mode
from ..draws.place import Place
from ..draws.sampler import Sampler, Source


class SharedTrunk(Sampler):
    """Draw j is network j % K under dropout mask j. The trunk was frozen, so the K networks, such as those of K folds, differ in
    their last layers alone: a K-th of the head's channels each.

    Args:
        backbone: whose head has K times the classes, on a grid as fine as the window or coarser.
        networks: K.
        only: number of the one network that draws, from 0; None for all in turn. Without dropout it has one answer.

    Raises:
        ValueError: a head whose channels are no multiple of K, or no such network.
    """

    source = Source.MODEL

    def __init__(self, backbone: HeadedBackbone, networks: int, only: int | None = None) -> None:
        super().__init__()
        if backbone.head.out_channels % networks or (only is not None and not 0 <= only < networks):
            raise ValueError(f"{backbone.head.out_channels} channels, {networks} networks, of which {only} draws")
        self.backbone = backbone
        self.networks = networks
        self.only = only
        self.layers = [layer for layer in name_layers(backbone) if layer.p > 0.0]
        self.members = networks if only is None else 1
        self.capacity = None if self.layers else self.members

    @property
    def settings(self) -> dict[str, Any]:
        """Probability of dropout, layer by layer; how many networks; which of them draws."""
        return {"dropout": [layer.p for layer in self.layers], "networks": self.networks, "only": self.only}

    def encode(self, windows: torch.Tensor, places: Sequence[Place], context: None) -> Sequence[torch.Tensor]:
        """Args: windows: (B, C, *spatial). Returns: what of the trunk all draws share."""
        refuse_training_mode(self)
        return self.backbone.encode(windows)

    def decode(
        self, features: Sequence[torch.Tensor], draws: Sequence[Draw], places: Sequence[Place], context: None
    ) -> torch.Tensor:
        """Args: features: of `encode`. Returns: logits, (draws, B, classes, *spatial)."""
        refuse_training_mode(self)
        with drawing(self.layers, draws, places):
            every = self.backbone.head(self.backbone.decode_features(features, copies=len(draws)))
        every = every.unflatten(1, (self.networks, -1)).unflatten(0, (len(draws), len(places)))
        who = [draw.index % self.networks if self.only is None else self.only for draw in draws]
        own = torch.stack([of_draw[:, network] for of_draw, network in zip(every, who, strict=True)])
        whole = F.interpolate(own.flatten(0, 1), size=places[0].size, mode="bilinear", align_corners=False)
        return whole.unflatten(0, (len(draws), len(places)))

    def summary(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        """Spatial mean of what the draws share. Returns: (B, channels)."""
        return pool(features)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """The mean of the networks' logits. Args: windows: (B, C, *spatial). Returns: logits, (B, classes, *spatial)."""
        every = self.backbone(windows).unflatten(1, (self.networks, -1))
        return every.mean(dim=1) if self.only is None else every[:, self.only]

    @classmethod
    def example(cls) -> SharedTrunk:
        """Two networks of two classes on a small residual U-Net."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return cls(ResidualUNet(2, 1, 4, channels=(4, 6, 8), units=(1, 1, 1), dropout=0.5), networks=2).eval()
