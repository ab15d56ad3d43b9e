"""What a latent model makes of a label that it was shown."""

from __future__ import annotations

from typing import NamedTuple

import torch

from .label_log_likelihood import label_log_likelihood


class Reconstruction(NamedTuple):
    """Logits under a latent of the posterior, and how far the posterior lies from the prior.

    Args:
        logits: (B, classes, *spatial).
        divergence: KL(posterior || prior), nats, (B,).
    """

    logits: torch.Tensor
    divergence: torch.Tensor

    def elbo(self, label: torch.Tensor, beta: float = 1.0) -> torch.Tensor:
        """One sample of the evidence lower bound: log likelihood summed over voxels - beta * divergence.

        Args:
            label: class numbers, (B, 1, *spatial).
            beta: 1 for the bound itself.

        Returns:
            nats a study, (B,).

        Source: Kohl et al. 2018, equation 4.
        """
        return label_log_likelihood(self.logits[None], label)[0].flatten(1).sum(dim=1) - beta * self.divergence

    def pack(self) -> torch.Tensor:
        """One tensor for tools that hand on one tensor: (B, classes + 1, *spatial), the divergence at every voxel."""
        spatial = self.logits.shape[2:]
        divergence = self.divergence.reshape(-1, *[1] * (self.logits.ndim - 1)).expand(-1, 1, *spatial)
        return torch.cat([self.logits.float(), divergence], dim=1)

    @classmethod
    def unpack(cls, packed: torch.Tensor) -> Reconstruction:
        """What `pack` packed, in float32."""
        packed = packed.as_subclass(torch.Tensor).float()
        return cls(packed[:, :-1], packed[:, -1].flatten(1)[:, 0])
