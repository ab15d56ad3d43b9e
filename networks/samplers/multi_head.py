"""Draws by asking several heads of one network: a draw is a head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from ..backbones.backbone import HeadedBackbone
from ..backbones.pooled_features import pool
from ..backbones.residual_unet import ResidualUNet
from ..draws.draw import Draw
from ..draws.evaluation_mode import refuse_training_mode
from ..draws.place import Place
from ..draws.sampler import Sampler, Source


@dataclass(frozen=True)
class HeadFeatures:
    """What `encode` hands to `decode`: the network's last features, and the windows' pooled encoder features, (B, channels)."""

    fine: torch.Tensor
    pooled: torch.Tensor


class MultiHead(Sampler):
    """Draw k is head k, whatever the seed. Trained by `BestOfMany` on what `all_heads` answers.

    The deterministic pass is the mean of the heads' logits. All heads count alike, so a reading that one rater in three
    prefers can be had only as a share of the heads, and nothing in the loss asks for that share: do not read frequencies
    off them.

    Args:
        backbone: its head becomes head 0.
        heads: how many.

    Raises:
        ValueError: fewer than two heads.

    Source: the baseline of Kohl et al. 2018, after Rupprecht et al. 2017.
    """

    source = Source.RATER
    capacity: int

    def __init__(self, backbone: HeadedBackbone, heads: int = 16) -> None:
        super().__init__()
        if heads < 2:
            raise ValueError(f"one head is one hypothesis: at least 2 are needed, got {heads}")
        self.backbone = backbone
        self.capacity = heads
        head = backbone.head
        self.further = nn.ModuleList(type(head)(head.in_channels, head.out_channels, 1) for _ in range(heads - 1))

    def all_heads(self, windows: torch.Tensor) -> torch.Tensor:
        """What `BestOfMany` takes. Args: windows: (B, C, *spatial). Returns: (B, heads * classes, *spatial)."""
        fine = self.backbone.decode_features(self.backbone.encode(windows))
        return torch.cat([head(fine) for head in self._heads()], dim=1)

    def encode(self, windows: torch.Tensor, places: Sequence[Place], context: None) -> HeadFeatures:
        """Args: windows: (B, C, *spatial). Returns: what the heads see."""
        refuse_training_mode(self)
        features = self.backbone.encode(windows)
        return HeadFeatures(self.backbone.decode_features(features), pool(features))

    def decode(self, features: HeadFeatures, draws: Sequence[Draw], places: Sequence[Place], context: None) -> torch.Tensor:
        """Run the heads that are asked for. Returns: logits, (draws, B, classes, *spatial).

        Raises:
            ValueError: a draw beyond the last head.
        """
        refuse_training_mode(self)
        beyond = [draw.index for draw in draws if not 0 <= draw.index < self.capacity]
        if beyond:
            raise ValueError(f"a network of {self.capacity} heads has no draw {beyond[0]}")
        heads = self._heads()
        return torch.stack([heads[draw.index](features.fine) for draw in draws])

    def summary(self, features: HeadFeatures) -> torch.Tensor:
        """Spatial mean of the deepest encoder features. Returns: (B, channels)."""
        return features.pooled

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """The mean of the heads' logits. Args: windows: (B, C, *spatial). Returns: logits, (B, classes, *spatial)."""
        return self.all_heads(windows).unflatten(1, (self.capacity, -1)).mean(dim=1)

    def _heads(self) -> list[nn.Module]:
        return [self.backbone.head, *self.further]

    @classmethod
    def example(cls) -> MultiHead:
        """Three heads on a small residual U-Net."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return cls(ResidualUNet(2, 1, 2, channels=(4, 6), units=(1, 1)), heads=3).eval()
