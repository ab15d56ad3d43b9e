"""A latent sampler of slices measures a volume, whose reading is one latent noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from ..backbones.residual_unet import ResidualUNet
from ..draws.draw import Draw
from ..draws.evaluation_mode import refuse_training_mode
from ..draws.place import Place
from ..latent.latent_gaussian import LOG_DEVIATION_BOUND, LatentGaussian
from ..latent.latent_sampler import LatentSampler
from ..latent.posterior_sampler import PosteriorSampler
from ..losses.reconstruction import Reconstruction
from .probabilistic_unet import ProbabilisticUNet
from .slice_by_slice import SliceBySlice, SliceFeatures, as_batch, as_volumes


class VolumeLatent(NamedTuple):
    """How volumes may be read.

    Args:
        noise: a Gaussian over the noise, one a volume: standard normal, or what a rater's outline says of it.
        slices: the prior of every slice, (B * slices, latent): a slice's latent is its own Gaussian at the volume's noise.
    """

    noise: LatentGaussian
    slices: LatentGaussian

    def log_density(self, noise: torch.Tensor) -> torch.Tensor:
        """Of the noise, as `LatentGaussian.log_density`."""
        return self.noise.log_density(noise)

    def of_slices(self, noise: torch.Tensor) -> torch.Tensor:
        """Each slice's latent. Args: noise: (..., B, latent). Returns: (..., B * slices, latent)."""
        depth = len(self.slices.mean) // len(self.noise.mean)
        return self.slices.at(noise.repeat_interleave(depth, dim=-2))


class LatentSlices(SliceBySlice, PosteriorSampler):
    """As `SliceBySlice`, and a draw is one noise: in every slice the latent lies as many deviations from that slice's own mean.

    So a draw reads all slices in one way, and each slice for itself is drawn as the sampler would draw it alone, however many
    slices of another kind the volume has. What an outline says of the noise is what its slices say, each on its own.

    Args:
        sampler: of one spatial axis less.
        plane: size of the middle of each slice that the encoders of the latent look at, that of the windows they were trained
            on: their mean over positions would be another one in a larger plane. None for all of it.
    """

    sampler: LatentSampler

    def __init__(self, sampler: LatentSampler, plane: Sequence[int] | None = None) -> None:
        super().__init__(sampler)
        self.classes = sampler.classes
        self.plane = None if plane is None else tuple(plane)

    @property
    def settings(self) -> dict[str, Any]:
        """The sampler's own, that it saw slices, and the plane."""
        return {**super().settings, "latent_plane": None if self.plane is None else list(self.plane)}

    def begin(self, study: torch.Tensor) -> VolumeLatent:
        """The prior of the whole volume. Args: study: (1, C, *plane, slices)."""
        refuse_training_mode(self)
        slices = self._priors(study)
        nothing = torch.zeros_like(slices.mean[: len(study)])
        return VolumeLatent(LatentGaussian(nothing, nothing), slices)

    def posterior(self, study: torch.Tensor, label: torch.Tensor) -> VolumeLatent:
        """See `PosteriorSampler`. Args: study: (B, C, *plane, slices). label: (B, 1, *plane, slices)."""
        priors = self._priors(study)
        posteriors = self.sampler.posterior(as_batch(self._middle(study)), as_batch(self._middle(label)))
        return VolumeLatent(_noise_of(posteriors, priors, study.shape[-1]), priors)

    def latents(self, draws: Sequence[Draw], context: VolumeLatent) -> torch.Tensor:
        """Each draw's noise. Args: context: of one volume. Returns: (draws, 1, latent)."""
        return self.sampler.latents(draws, context.noise)

    def decode(self, features: SliceFeatures, draws: Sequence[Draw], places: Sequence[Place], context: Any) -> torch.Tensor:
        """Mix in the latents of the windows' slices. Returns: logits, (draws, B, classes, *plane, slices)."""
        refuse_training_mode(self)
        volume: VolumeLatent = features.of_slices.latent
        latents = volume.of_slices(self.latents(draws, volume))
        numbers = [number for place in places for number in range(place.origin[-1], place.origin[-1] + place.size[-1])]
        logits = self.sampler.mix(features.of_slices.shared, latents[:, numbers])
        return torch.stack([as_volumes(draw, features.slices) for draw in logits])

    def explain(self, windows: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """See `PosteriorSampler`: one noise for all slices of a window. Args: as `posterior`."""
        posterior = self.posterior(windows, label)
        noise = posterior.noise
        latents = posterior.of_slices(noise.at(torch.randn_like(noise.mean)))
        standard = LatentGaussian(torch.zeros_like(noise.mean), torch.zeros_like(noise.mean))
        return Reconstruction(self._logits(windows, latents), noise.divergence(standard)).pack()

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Each slice by the mean of its prior. Returns: logits, (B, classes, *plane, slices)."""
        return self._logits(windows, self._priors(windows).mean)

    def _priors(self, study: torch.Tensor) -> LatentGaussian:
        """Of each slice. Returns: (B * slices, latent)."""
        return self.sampler.prior(as_batch(self._middle(study)))

    def _middle(self, study: torch.Tensor) -> torch.Tensor:
        """What the encoders look at. Args: study: (B, C, *plane, slices)."""
        for axis, size in enumerate(self.plane or (), start=2):
            size = min(size, study.shape[axis])
            study = study.narrow(axis, (study.shape[axis] - size) // 2, size)
        return study

    def _logits(self, windows: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """Args: latents: one a slice, (B * slices, latent)."""
        return as_volumes(self.sampler.logits(as_batch(windows), latents), windows.shape[-1])

    @classmethod
    def example(cls) -> LatentSlices:
        """Lines of a picture: a one-dimensional probabilistic U-Net."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            backbone = ResidualUNet(1, 1, 2, channels=(8, 6), units=(1, 1))
            return cls(ProbabilisticUNet(backbone, in_channels=1, encoder_channels=(4, 6), tile=16)).eval()


def _noise_of(posteriors: LatentGaussian, priors: LatentGaussian, depth: int) -> LatentGaussian:
    """What slices say of the noise that they share: the standard normal times each slice's posterior over its prior.

    Args:
        posteriors, priors: of each slice, (B * depth, latent).

    Returns:
        one Gaussian a volume, (B, latent). Its precision is 1 + sum (1 / s^2 - 1), its mean sum (m / s^2) over that, with
        m and s the posterior's mean and deviation in deviations of the prior; the precision is kept within the bound of a
        Gaussian's deviation. Of one slice: the posterior itself.
    """
    mean = (posteriors.mean - priors.mean) * torch.exp(-priors.log_deviation)
    precision = torch.exp(2 * (priors.log_deviation - posteriors.log_deviation))
    weighted, precision = ((mean * precision).unflatten(0, (-1, depth)), precision.unflatten(0, (-1, depth)))
    total = (1 + (precision - 1).sum(dim=1)).clamp_min(torch.tensor(-4 * LOG_DEVIATION_BOUND).exp().item())
    return LatentGaussian(weighted.sum(dim=1) / total, -0.5 * total.log())
