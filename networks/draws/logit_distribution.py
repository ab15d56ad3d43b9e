"""A Gaussian over the logits of a window: what networks with noisy logits predict."""

from __future__ import annotations

from typing import NamedTuple

import torch


class LogitDistribution(NamedTuple):
    """Logits = mean + P * factor noise + deviation * voxel noise, of covariance P P^T + D.

    Args:
        mean: (B, classes, *spatial).
        deviation: square root of D, the same shape.
        factors: P, (B, rank, classes, *spatial); rank 0 is noise that is independent from voxel to voxel.

    Source: Monteiro et al. 2020, equation 6.
    """

    mean: torch.Tensor
    deviation: torch.Tensor
    factors: torch.Tensor

    def logits(self, factor_noise: torch.Tensor, voxel_noise: torch.Tensor) -> torch.Tensor:
        """Logits for given standard normal numbers.

        Args:
            factor_noise: (samples, B, rank).
            voxel_noise: (samples, B, classes, *spatial).

        Returns:
            (samples, B, classes, *spatial).
        """
        shared = torch.einsum("nbr,br...->nb...", factor_noise, self.factors)
        return self.mean + shared + self.deviation * voxel_noise

    def antithetic_logits(self, samples: int) -> torch.Tensor:
        """Random logits in pairs that mirror each other about the mean, which makes their average exact.

        Args:
            samples: how many, an even number.

        Returns:
            (samples, B, classes, *spatial), of torch's own generator: for training alone.
        """
        half, batch, rank = samples // 2, *self.factors.shape[:2]
        factor_noise = self.mean.new_empty(half, batch, rank).normal_()
        voxel_noise = self.mean.new_empty(half, *self.mean.shape).normal_()
        return self.logits(torch.cat([factor_noise, -factor_noise]), torch.cat([voxel_noise, -voxel_noise]))

    def pack(self) -> torch.Tensor:
        """One tensor for tools that hand on one tensor: (B, (2 + rank) * classes, *spatial)."""
        return torch.cat([self.mean, self.deviation, self.factors.flatten(1, 2)], dim=1)

    @classmethod
    def unpack(cls, packed: torch.Tensor, classes: int) -> LogitDistribution:
        """What `pack` packed, in float32.

        Raises:
            ValueError: a number of channels that is no packed distribution of so many classes.
        """
        rank, rest = divmod(packed.shape[1], classes)
        if rest or rank < 2:
            raise ValueError(f"{packed.shape[1]} channels are no distribution over the logits of {classes} classes")
        parts = packed.as_subclass(torch.Tensor).float().unflatten(1, (rank, classes))
        return cls(parts[:, 0], parts[:, 1], parts[:, 2:])
