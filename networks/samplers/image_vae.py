"""Draws by a latent that knows nothing of the image: a segmentation translated into others."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..backbones.backbone import HeadedBackbone
from ..backbones.residual_unet import ResidualUNet
from ..latent.latent_gaussian import LatentGaussian
from ..latent.latent_sampler import LatentSampler


class ImageVAE(LatentSampler):
    """Image-to-image variational autoencoder: N(0, 1) for every study, on top of a deterministic segmentation.

    A small network sees the backbone's probabilities and the latent, not the image, and what it answers is added to the
    backbone's logits. A draw runs it anew, which costs more than the layers of `ProbabilisticUNet`. A baseline: where a
    study is unambiguous, the translation must learn to ignore the latent, since the prior cannot narrow.

    Args:
        backbone, in_channels, latent, encoder_channels, tile: as `LatentSampler`.
        translator_channels: features per level of the network on top; windows are multiples of its stride too.

    Source: the baseline of Kohl et al. 2018, after Zhu et al. 2017. Published descriptions leave the translating network
    open; this one is ours.
    """

    def __init__(
        self,
        backbone: HeadedBackbone,
        in_channels: int,
        latent: int = 6,
        encoder_channels: Sequence[int] = (16, 32, 64, 64),
        translator_channels: Sequence[int] = (8, 16, 32),
        tile: int = 192,
    ) -> None:
        super().__init__(backbone, in_channels, latent, encoder_channels, tile)
        inputs, units = self.classes + latent, [1] * len(translator_channels)
        self.translator = ResidualUNet(self.spatial_dims, inputs, self.classes, translator_channels, units, dropout=0.0)

    def prior(self, study: torch.Tensor) -> LatentGaussian:
        """N(0, 1), whatever the image. Args: study: (B, C, *spatial)."""
        zeros = torch.zeros(len(study), self.latent, device=study.device)
        return LatentGaussian(zeros, zeros)

    def share(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        """The segmentation. Returns: logits, (B, classes, *spatial)."""
        return self.backbone.decode(features)

    def mix(self, shared: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """Args: as `LatentSampler.mix`. Returns: logits, (draws, B, classes, *spatial)."""
        draws, windows, spatial = len(latents), len(shared), shared.shape[2:]
        planes = latents.expand(-1, windows, -1).reshape(draws * windows, self.latent, *[1] * len(spatial))
        probability = shared.softmax(dim=1).repeat(draws, *[1] * (shared.ndim - 1))
        inputs = torch.cat([probability, planes.to(probability.dtype).expand(-1, -1, *spatial)], dim=1)
        return shared + self.translator(inputs).unflatten(0, (draws, windows))

    @classmethod
    def example(cls) -> ImageVAE:
        """A small residual U-Net and a smaller one on top."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            backbone = ResidualUNet(2, 1, 2, channels=(4, 6), units=(1, 1))
            return cls(backbone, in_channels=1, encoder_channels=(4, 6), translator_channels=(8, 8)).eval()
