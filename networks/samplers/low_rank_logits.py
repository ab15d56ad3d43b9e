"""Draws by noise that many voxels' logits share."""

from __future__ import annotations

import torch

from ..backbones.backbone import HeadedBackbone
from ..backbones.residual_unet import ResidualUNet
from .noisy_logits import NoisyLogits


class LowRankLogits(NoisyLogits):
    """Stochastic segmentation network: logits of covariance P P^T + D, P of low rank. Trained by `JointLikelihood`.

    Args:
        backbone, region_channel: as `NoisyLogits`.
        rank: columns of P.

    Raises:
        ValueError: a rank below 1.

    Source: Monteiro et al. 2020. The deviation is a softplus, which cannot overflow, in place of an exponential.
    """

    def __init__(self, backbone: HeadedBackbone, rank: int = 10, region_channel: int | None = None) -> None:
        if rank < 1:
            raise ValueError(f"rank must be at least 1, got {rank}: noise of single voxels is GaussianLogits")
        super().__init__(backbone, rank, region_channel)

    @classmethod
    def example(cls) -> LowRankLogits:
        """Three factors on a small residual U-Net."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return cls(ResidualUNet(2, 1, 2, channels=(4, 6), units=(1, 1)), rank=3).eval()
