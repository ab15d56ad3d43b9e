"""Draws by independent noise on each voxel's logits."""

from __future__ import annotations

import torch

from ..backbones.backbone import HeadedBackbone
from ..backbones.residual_unet import ResidualUNet
from .noisy_logits import NoisyLogits


class GaussianLogits(NoisyLogits):
    """The deviation of every voxel's logits is learnt, their correlation is not.

    Its draws are grainy, and their grains average out: over a volume it has almost no spread. A control for `LowRankLogits`,
    and a map of where labels are noisy. Trained by `VoxelwiseLikelihood`.

    Args:
        backbone, region_channel: as `NoisyLogits`.

    Source: Kendall and Gal 2017, section 3.3. The deviation is a softplus, which cannot overflow, in place of an exponential.
    """

    def __init__(self, backbone: HeadedBackbone, region_channel: int | None = None) -> None:
        super().__init__(backbone, rank=0, region_channel=region_channel)

    @classmethod
    def example(cls) -> GaussianLogits:
        """On a small residual U-Net."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return cls(ResidualUNet(2, 1, 2, channels=(4, 6), units=(1, 1))).eval()
