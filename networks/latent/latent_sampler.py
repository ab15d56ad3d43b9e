"""Draws by a latent that stands for a reading of the whole study."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from monai.networks.utils import one_hot

from ..backbones.backbone import HeadedBackbone
from ..backbones.pooled_features import pool
from ..draws.draw import Draw
from ..draws.evaluation_mode import refuse_training_mode
from ..draws.hash_noise import gaussian, layer_key
from ..draws.place import Place
from ..draws.sampler import Source
from ..losses.reconstruction import Reconstruction
from .latent_encoder import LatentEncoder
from .latent_gaussian import LatentGaussian
from .posterior_sampler import PosteriorSampler


@dataclass(frozen=True)
class LatentFeatures:
    """What `encode` hands to `decode`: what the draws of a window share, the study's latent, and the windows' pooled encoder
    features, (B, channels)."""

    shared: Any
    latent: LatentGaussian
    pooled: torch.Tensor


class LatentSampler(PosteriorSampler):
    """A conditional variational autoencoder: a latent z a draw decides how the whole study is read.

    `begin` makes one Gaussian of the whole study, and every window of a draw is decoded with the same z of it, in which no
    window has a part. The backbone runs once a window for any number of draws. Trained by `Elbo` on what `explain`
    answers; the label of a step is that of one rater, taken at random where there are several.

    Args:
        backbone: see `HeadedBackbone`.
        in_channels: channels of the study.
        latent: dimensions of z.
        encoder_channels: features per level of the encoder that sees the label, and of the prior's where it has one.
        tile: voxels per axis that these encoders run at once; see `LatentEncoder`.
    """

    source = Source.RATER

    def __init__(
        self, backbone: HeadedBackbone, in_channels: int, latent: int, encoder_channels: Sequence[int], tile: int
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.latent = latent
        self.tile = tile
        self.classes = backbone.head.out_channels
        self.spatial_dims = len(backbone.head.kernel_size)
        self.posterior_encoder = LatentEncoder(self.spatial_dims, in_channels + self.classes, latent, encoder_channels, tile)

    @abstractmethod
    def prior(self, study: torch.Tensor) -> LatentGaussian:
        """How the study may be read. Args: study: (B, C, *spatial). Returns: one Gaussian each."""

    @abstractmethod
    def share(self, features: Sequence[torch.Tensor]) -> Any:
        """What all latents have in common. Args: features: of the backbone's encoder."""

    @abstractmethod
    def mix(self, shared: Any, latents: torch.Tensor) -> torch.Tensor:
        """Args: shared: of `share`. latents: (draws, B or 1, latent). Returns: logits, (draws, B, classes, *spatial)."""

    @property
    def settings(self) -> dict[str, Any]:
        """The tiles that the prior is formed in."""
        return {"tile": self.tile}

    def posterior(self, study: torch.Tensor, label: torch.Tensor) -> LatentGaussian:
        """How the study was read by who drew the label.

        Args:
            study: (B, C, *spatial).
            label: class numbers, (B, 1, *spatial); negative where it is not known, which reads as background.

        Returns:
            one Gaussian each.
        """
        classes = one_hot(label.as_subclass(torch.Tensor).clamp_min(0), self.classes, dtype=study.dtype)
        return self.posterior_encoder(torch.cat([study, classes - 0.5], dim=1))

    def explain(self, windows: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """A label explained by one random latent of its posterior: what `Elbo` takes. Torch's own generator: for training.

        Args:
            windows: (B, C, *spatial).
            label: class numbers, (B, 1, *spatial).

        Returns:
            a packed `Reconstruction`.
        """
        posterior = self.posterior(windows, label)
        logits = self.logits(windows, posterior.at(torch.randn_like(posterior.mean)))
        return Reconstruction(logits, posterior.divergence(self.prior(windows))).pack()

    def reconstruct(self, windows: torch.Tensor, label: torch.Tensor) -> Reconstruction:
        """A label explained by the mean of its posterior: how well a latent can say what this rater drew at all.

        Args: as `explain`.
        """
        posterior = self.posterior(windows, label)
        return Reconstruction(self.logits(windows, posterior.mean), posterior.divergence(self.prior(windows)))

    def begin(self, study: torch.Tensor) -> LatentGaussian:
        """The prior of the whole study. Args: study: (1, C, *spatial)."""
        refuse_training_mode(self)
        return self.prior(study)

    def encode(self, windows: torch.Tensor, places: Sequence[Place], context: LatentGaussian) -> LatentFeatures:
        """Args: windows: (B, C, *spatial). context: of `begin`; a posterior of the study instead makes the draws those of
        one rater. Returns: what the draws share."""
        refuse_training_mode(self)
        features = self.backbone.encode(windows)
        return LatentFeatures(self.share(features), context, pool(features))

    def decode(self, features: LatentFeatures, draws: Sequence[Draw], places: Sequence[Place], context: Any) -> torch.Tensor:
        """Mix the draws' latents in. Returns: logits, (draws, B, classes, *spatial)."""
        refuse_training_mode(self)
        return self.mix(features.shared, self.latents(draws, features.latent))

    def latents(self, draws: Sequence[Draw], context: LatentGaussian) -> torch.Tensor:
        """Each draw's z. Args: context: of one study. Returns: (draws, 1, latent)."""
        keys = torch.tensor([draw.key for draw in draws], device=context.mean.device)
        axes = torch.arange(self.latent, device=context.mean.device)
        return context.at(gaussian(keys[:, None, None], _LATENT, axes))

    def summary(self, features: LatentFeatures) -> torch.Tensor:
        """Spatial mean of the deepest encoder features. Returns: (B, channels)."""
        return features.pooled

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Each window read as a study of its own, by the mean of its prior. Args: windows: (B, C, *spatial).
        Returns: logits, (B, classes, *spatial)."""
        return self.logits(windows, self.prior(windows).mean)

    def logits(self, windows: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """For stated latents. Args: windows: (B, C, *spatial). latents: one a window, (B, latent).
        Returns: (B, classes, *spatial)."""
        return self.mix(self.share(self.backbone.encode(windows)), latents[None])[0]


_LATENT = layer_key("latent")
