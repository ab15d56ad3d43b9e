"""Draws by noise on the logits: the labels' ambiguity, learnt from the labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional as F

from ..backbones.backbone import HeadedBackbone
from ..backbones.pooled_features import pool
from ..draws.draw import Draw
from ..draws.evaluation_mode import refuse_training_mode
from ..draws.hash_noise import GRID_NOISE, gaussian, gaussian_on_grid, layer_key
from ..draws.logit_distribution import LogitDistribution
from ..draws.place import Place
from ..draws.sampler import Sampler, Source


@dataclass(frozen=True)
class NoisyFeatures:
    """What `encode` hands to `decode`: the windows' distribution, and their pooled encoder features, (B, channels)."""

    distribution: LogitDistribution
    pooled: torch.Tensor


class NoisyLogits(Sampler):
    """A network whose logits are Gaussian: mean, deviation of each voxel, and factors that many voxels share.

    A draw has one vector of factor noise for the whole study, and voxel noise keyed by global coordinate: windows that
    overlap see the same noise. The network runs once a window for any number of draws. The distribution is float32
    under autocast too: a covariance of rounded factors is not the one that was trained.

    Args:
        backbone: the answer of its head becomes the mean.
        rank: number of factors; 0 leaves the noise of single voxels.
        region_channel: channel of the input that is 1 where the study is measured and 0 elsewhere; the covariance is
            zero there, where no label could bound it. None has it everywhere.
    """

    source = Source.RATER

    def __init__(self, backbone: HeadedBackbone, rank: int, region_channel: int | None = None) -> None:
        super().__init__()
        self.backbone = backbone
        self.rank = rank
        self.region_channel = region_channel
        self.classes = backbone.head.out_channels
        self.covariance = type(backbone.head)(backbone.head.in_channels, (1 + rank) * self.classes, 1)

    @property
    def settings(self) -> dict[str, Any]:
        """Version of the voxel noise."""
        return {"grid_noise": GRID_NOISE}

    def distribution(self, windows: torch.Tensor) -> torch.Tensor:
        """What the losses of `networks/losses` take. Args: windows: (B, C, *spatial). Returns: a packed distribution."""
        return self._distribution(windows, self.backbone.encode(windows)).pack()

    def encode(self, windows: torch.Tensor, places: Sequence[Place], context: None) -> NoisyFeatures:
        """Args: windows: (B, C, *spatial). Returns: the distribution of their logits."""
        refuse_training_mode(self)
        features = self.backbone.encode(windows)
        return NoisyFeatures(self._distribution(windows, features), pool(features))

    def decode(self, features: NoisyFeatures, draws: Sequence[Draw], places: Sequence[Place], context: None) -> torch.Tensor:
        """Mix the draws' noise in. Returns: logits, (draws, B, classes, *spatial), float32."""
        refuse_training_mode(self)
        mean = features.distribution.mean
        factors = torch.arange(self.rank, device=mean.device)
        factor_noise = torch.stack([gaussian(draw.key, _FACTORS, factors) for draw in draws])  # (draws, rank)
        voxel_noise = torch.stack([self._voxel_noise(draw, places, mean) for draw in draws])
        with torch.autocast(mean.device.type, enabled=False):
            return features.distribution.logits(factor_noise[:, None].expand(-1, len(places), -1), voxel_noise)

    def summary(self, features: NoisyFeatures) -> torch.Tensor:
        """Spatial mean of the deepest encoder features. Returns: (B, channels)."""
        return features.pooled

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """The mean alone. Args: windows: (B, C, *spatial). Returns: logits, (B, classes, *spatial)."""
        return self.backbone(windows)

    def _distribution(self, windows: torch.Tensor, features: Sequence[torch.Tensor]) -> LogitDistribution:
        fine = self.backbone.decode_features(features).float()
        with torch.autocast(fine.device.type, enabled=False):
            mean = self.backbone.head(fine)
            covariance = self.covariance(fine).unflatten(1, (1 + self.rank, self.classes))
            if self.region_channel is None:
                return LogitDistribution(mean, F.softplus(covariance[:, 0]), covariance[:, 1:])
            inside = (windows[:, self.region_channel] > 0.5).unsqueeze(1)  # (B, 1, *spatial)
            return LogitDistribution(mean, F.softplus(covariance[:, 0]) * inside, covariance[:, 1:] * inside.unsqueeze(1))

    def _voxel_noise(self, draw: Draw, places: Sequence[Place], mean: torch.Tensor) -> torch.Tensor:
        """Standard normal numbers of one draw, (B, *classes and spatial*); class by class, since the hash works in 64 bits."""
        noise = torch.empty_like(mean)
        for window, place in enumerate(places):
            grids = place.feature_coordinates(mean.shape[2:], device=mean.device)
            for label in range(self.classes):
                noise[window, label] = gaussian_on_grid((draw.key, _VOXELS, label), grids)
        return noise


_FACTORS, _VOXELS = layer_key("factors"), layer_key("voxels")
