"""Draws by a latent that is learnt from the image: which readings of it are plausible, and how often."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..backbones.backbone import HeadedBackbone
from ..backbones.residual_unet import ResidualUNet
from ..latent.latent_combiner import LatentCombiner
from ..latent.latent_encoder import LatentEncoder
from ..latent.latent_gaussian import LatentGaussian
from ..latent.latent_sampler import LatentSampler


class ProbabilisticUNet(LatentSampler):
    """A U-Net whose last features meet a latent in layers of kernel 1; prior and posterior are encoders of their own.

    A further draw repeats these layers alone, not the U-Net.

    Args:
        backbone, in_channels, latent, encoder_channels, tile: as `LatentSampler`; the backbone's head ends the layers.
        layers: of kernel 1 before the head.

    Source: Kohl et al. 2018. Instead of their encoders, residual units with batch normalisation, as in the backbone.
    """

    def __init__(
        self,
        backbone: HeadedBackbone,
        in_channels: int,
        latent: int = 6,
        encoder_channels: Sequence[int] = (16, 32, 64, 64),
        layers: int = 3,
        tile: int = 192,
    ) -> None:
        super().__init__(backbone, in_channels, latent, encoder_channels, tile)
        self.prior_encoder = LatentEncoder(self.spatial_dims, in_channels, latent, encoder_channels, tile)
        self.combiner = LatentCombiner(self.spatial_dims, backbone.head.in_channels, latent, layers)

    def prior(self, study: torch.Tensor) -> LatentGaussian:
        """What the image says. Args: study: (B, C, *spatial)."""
        return self.prior_encoder(study)

    def share(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        """The whole U-Net and the features' part of the first layer. Returns: (B, channels, *spatial)."""
        return self.combiner.project(self.backbone.decode_features(features))

    def mix(self, shared: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """Args: as `LatentSampler.mix`. Returns: logits, (draws, B, classes, *spatial)."""
        logits = self.backbone.head(self.combiner(shared, latents))
        return logits.unflatten(0, (len(latents), len(shared)))

    @classmethod
    def example(cls) -> ProbabilisticUNet:
        """A small residual U-Net, small encoders, and tiles smaller than the study."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            backbone = ResidualUNet(2, 1, 2, channels=(8, 6), units=(1, 1))
            return cls(backbone, in_channels=1, encoder_channels=(4, 6), tile=16).eval()
