"""EfficientNet-Lite0 as a network of evidence: where on the image each class is spoken for."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from ..draws.consistent_dropout import ConsistentDropout
from .backbone import HeadedBackbone

STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Of each stage: blocks, kernel, stride of the first block, expansion, channels."""
STEM, FEATURES = 32, 1280
STRIDE = 32
SHARED = 4
"""Stages that are encoded once for all draws; dropout sits in the blocks of the later ones."""


class EfficientNetLite0(HeadedBackbone):
    """Classes by a mean over the image of what each place says, so that the logits are a map of the evidence.

    The trunk is meant to stay as ImageNet left it: its batch norms are folded into the convolutions, which have biases in their
    place. The head is a linear layer at every place of the last features; since it is linear, the mean of its map over the
    image is the logit that the layer gives to the pooled features. The map is brought to the image's size linearly, which keeps
    its mean.

    Args:
        out_channels: logits.
        dropout: probability that a channel inside a block of the last three stages is zeroed.

    Source: Tan and Le 2019, in the variant Lite0 (no squeeze and excitation, ReLU6), padded as TensorFlow pads.
    """

    def __init__(self, out_channels: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.stem = ConvolutionSame(3, STEM, 3, stride=2)
        channels, stages = STEM, []
        for number, (blocks, kernel, stride, expansion, width) in enumerate(STAGES):
            p = dropout if number >= SHARED else 0.0
            stage = []
            for block in range(blocks):
                stage.append(InvertedResidual(channels, width, kernel, stride if block == 0 else 1, expansion, p))
                channels = width
            stages.append(nn.Sequential(*stage))
        self.stages = nn.ModuleList(stages)
        self.last = ConvolutionSame(channels, FEATURES, 1)
        self.head = nn.Conv2d(FEATURES, out_channels, 1)

    def encode(self, windows: torch.Tensor) -> list[torch.Tensor]:
        """Args: windows: (B, 3, H, W), sides multiples of 32. Returns: what the draws share, (B, 80, H / 16, W / 16)."""
        x = F.relu6(self.stem(windows))
        for stage in self.stages[:SHARED]:
            x = stage(x)
        return [x]

    def decode_features(self, features: Sequence[torch.Tensor], copies: int = 1) -> torch.Tensor:
        """Returns: (copies * B, 1280, H / 32, W / 32)."""
        x = features[-1].repeat(copies, 1, 1, 1)
        for stage in self.stages[SHARED:]:
            x = stage(x)
        return F.relu6(self.last(x))

    def decode(self, features: Sequence[torch.Tensor], copies: int = 1) -> torch.Tensor:
        evidence = self.head(self.decode_features(features, copies))
        return F.interpolate(evidence, scale_factor=float(STRIDE), mode="bilinear", align_corners=False)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Args: windows: (B, 3, H, W). Returns: evidence, (B, classes, H, W)."""
        return self.decode(self.encode(windows))


class ConvolutionSame(nn.Conv2d):
    """A convolution with a bias whose output has one element a stride: of an odd sum of padding more lies behind."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(in_channels, out_channels, kernel, stride=stride, groups=groups)
        before = (kernel - stride) // 2
        self.around = (before, kernel - stride - before) * 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(F.pad(x, self.around))


class InvertedResidual(nn.Module):
    """Expand, filter each channel by itself, project; the input is added where shapes allow."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int, expansion: int, dropout: float) -> None:
        super().__init__()
        inner = channels * expansion
        self.expand = ConvolutionSame(channels, inner, 1) if expansion > 1 else None
        self.filter = ConvolutionSame(inner, inner, kernel, stride, groups=inner)
        self.dropout = ConsistentDropout(dropout)
        self.project = ConvolutionSame(inner, width, 1)
        self.adds = stride == 1 and channels == width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = x if self.expand is None else F.relu6(self.expand(x))
        out = self.project(self.dropout(F.relu6(self.filter(inner))))
        return x + out if self.adds else out
