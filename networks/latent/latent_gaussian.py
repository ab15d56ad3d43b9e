"""A Gaussian over the latent of a study: which reading of it is meant."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

LOG_DEVIATION_BOUND = 5.0
"""A deviation lies between exp(-5) and exp(5): wide enough for any reading, narrow enough that no divergence overflows."""


class LatentGaussian(NamedTuple):
    """A Gaussian whose axes are independent, one a study.

    Args:
        mean: (B, latent).
        log_deviation: natural log of the standard deviation, the same shape.
    """

    mean: torch.Tensor
    log_deviation: torch.Tensor

    @classmethod
    def bounded(cls, mean: torch.Tensor, raw: torch.Tensor) -> LatentGaussian:
        """Log deviation = bound * tanh(raw / bound): `raw` itself near zero, within the bound whatever a network answers."""
        return cls(mean, LOG_DEVIATION_BOUND * torch.tanh(raw / LOG_DEVIATION_BOUND))

    def at(self, noise: torch.Tensor) -> torch.Tensor:
        """Latents for given standard normal numbers. Args: noise: (..., B or 1, latent). Returns: (..., B, latent)."""
        return self.mean + self.log_deviation.exp() * noise

    def divergence(self, other: LatentGaussian) -> torch.Tensor:
        """Kullback-Leibler divergence KL(self || other), nats. Returns: (B,), exactly 0 for equal Gaussians.

        Source: 1/2 sum of s^2 / s'^2 + (m - m')^2 / s'^2 - 1 - log(s^2 / s'^2); the ratios are formed as differences of
        logarithms, so that no quotient of small numbers occurs.
        """
        log_ratio = 2.0 * (self.log_deviation - other.log_deviation)
        distance = (self.mean - other.mean) * torch.exp(-other.log_deviation)
        return 0.5 * (torch.expm1(log_ratio) - log_ratio + distance**2).sum(dim=-1)

    def log_density(self, latents: torch.Tensor) -> torch.Tensor:
        """Log density, nats, in float64. Args: latents: (..., B, latent). Returns: (..., B)."""
        mean, log_deviation = self.mean.double(), self.log_deviation.double()
        scaled = (latents.double() - mean) * torch.exp(-log_deviation)
        return -(0.5 * scaled**2 + log_deviation + 0.5 * math.log(2.0 * math.pi)).sum(dim=-1)
