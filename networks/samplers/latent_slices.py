"""A latent sampler of slices measures a volume, whose reading is one latent."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..backbones.residual_unet import ResidualUNet
from ..draw import Draw
from ..evaluation_mode import refuse_training_mode
from ..latent_gaussian import LatentGaussian
from ..latent_sampler import LatentSampler
from ..posterior_sampler import PosteriorSampler
from ..reconstruction import Reconstruction
from .probabilistic_unet import ProbabilisticUNet
from .slice_by_slice import SliceBySlice, as_batch, as_volumes


class LatentSlices(SliceBySlice, PosteriorSampler):
    """As `SliceBySlice`, and every slice of a draw is decoded with the same latent of the whole volume.

    The volume's Gaussian has the mean over all slices of their means and of their log deviations. The encoder's last layer is
    linear, so this is what it answers to features averaged over the volume, but for the bound of the deviation.

    Args:
        sampler: of one spatial axis less.
    """

    def __init__(self, sampler: LatentSampler) -> None:
        super().__init__(sampler)
        self.classes = sampler.classes

    def prior(self, windows: torch.Tensor) -> LatentGaussian:
        """How each window may be read. Args: windows: (B, C, *plane, slices). Returns: one Gaussian each."""
        return _of_volumes(self.sampler.prior(as_batch(windows)), windows.shape[-1])

    def posterior(self, study: torch.Tensor, label: torch.Tensor) -> LatentGaussian:
        """See `PosteriorSampler`. Args: study: (B, C, *plane, slices). label: (B, 1, *plane, slices)."""
        return _of_volumes(self.sampler.posterior(as_batch(study), as_batch(label)), study.shape[-1])

    def begin(self, study: torch.Tensor) -> LatentGaussian:
        """The prior of the whole volume. Args: study: (1, C, *plane, slices)."""
        refuse_training_mode(self)
        return self.prior(study)

    def latents(self, draws: Sequence[Draw], context: LatentGaussian) -> torch.Tensor:
        """Each draw's latent. Args: context: of one volume. Returns: (draws, 1, latent)."""
        return self.sampler.latents(draws, context)

    def explain(self, windows: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """See `PosteriorSampler`: one latent for all slices of a window. Args: as `posterior`."""
        posterior = self.posterior(windows, label)
        logits = self._logits(windows, posterior.at(torch.randn_like(posterior.mean)))
        return Reconstruction(logits, posterior.divergence(self.prior(windows))).pack()

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Each window read as a volume of its own, by the mean of its prior. Returns: logits, (B, classes, *plane, slices)."""
        return self._logits(windows, self.prior(windows).mean)

    def _logits(self, windows: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """Args: latents: one a window, (B, latent)."""
        depth = windows.shape[-1]
        return as_volumes(self.sampler.logits(as_batch(windows), latents.repeat_interleave(depth, dim=0)), depth)

    @classmethod
    def example(cls) -> LatentSlices:
        """Lines of a picture: a one-dimensional probabilistic U-Net."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            backbone = ResidualUNet(1, 1, 2, channels=(8, 6), units=(1, 1))
            return cls(ProbabilisticUNet(backbone, in_channels=1, encoder_channels=(4, 6), tile=16)).eval()


def _of_volumes(gaussian: LatentGaussian, depth: int) -> LatentGaussian:
    """Args: gaussian: of each slice, (B * depth, latent). Returns: of each volume, (B, latent)."""
    return LatentGaussian(*(part.unflatten(0, (-1, depth)).mean(dim=1) for part in gaussian))
