"""Samplers that can say which of their readings a given outline is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

import torch

from ..draws.draw import Draw
from ..draws.sampler import Sampler


class Readings(Protocol):
    """How a study may be read: a distribution over what `PosteriorSampler.latents` answers."""

    def log_density(self, latents: torch.Tensor) -> torch.Tensor:
        """Log density, nats, in float64. Args: latents: (..., B, latent). Returns: (..., B)."""


class PosteriorSampler(Sampler):
    """A sampler whose draws are a latent's, and that finds the latents which explain an outline.

    Attributes:
        classes: of the logits.
    """

    classes: int

    @abstractmethod
    def begin(self, study: torch.Tensor) -> Readings:
        """How a study may be read: the prior. Args: study: (1, C, *spatial)."""

    @abstractmethod
    def posterior(self, study: torch.Tensor, label: torch.Tensor) -> Readings:
        """How the study was read by who drew the label.

        Args:
            study: (B, C, *spatial).
            label: class numbers, (B, 1, *spatial); negative where it is not known.

        Returns:
            of each study.
        """

    @abstractmethod
    def explain(self, windows: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """A label explained by one random latent of its posterior: what `Elbo` takes. Torch's own generator: for training.

        Args:
            windows: (B, C, *spatial).
            label: as `posterior`.

        Returns:
            a packed `Reconstruction`.
        """

    @abstractmethod
    def latents(self, draws: Sequence[Draw], context: Any) -> torch.Tensor:
        """Each draw's latent. Args: context: readings of one study. Returns: (draws, 1, latent)."""
