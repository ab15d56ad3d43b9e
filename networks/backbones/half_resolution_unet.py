"""A small 2-D U-Net that works on half the image's resolution from its first convolution to its last."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.layers.factories import Norm
from torch import nn
from torch.nn import functional as F

from ..draws.consistent_dropout import ConsistentDropout
from .backbone import Backbone

SLOPE = 0.05
"""Of the leaky rectifier below zero."""
RARE = -2.0
"""First bias of the logits of every class but the background: structures are rare, and the first steps are not spent on that."""


class HalfResolutionUNet(Backbone):
    """U-Net whose finest level lies on half the grid: four pixels are four channels, on the way in and on the way out.

    A convolution there costs a quarter. Two convolutions a level, skips added, channel dropout before each level of the decoder
    and at the deepest; batch normalisation in evaluation mode does not depend on the window.

    Args:
        in_channels: channels of a slice.
        out_channels: classes, background first.
        channels: features per level, from fine to coarse; the first level halves the image's grid, and each next halves it again.
        dropout: probability of channel dropout.

    Raises:
        ValueError: fewer than two levels.

    Source: Ronneberger et al. 2015 (U-Net); Shi et al. 2016 (pixels as channels); Tompson et al. 2015 (channel dropout).
    """

    def __init__(
        self, in_channels: int, out_channels: int, channels: Sequence[int] = (24, 48, 96, 128), dropout: float = 0.1
    ) -> None:
        super().__init__()
        if len(channels) < 2:
            raise ValueError(f"a U-Net needs at least two levels, got {channels}")
        self.in_channels = in_channels
        self.stride = 2 ** len(channels)
        self.down = nn.ModuleList([_two_convolutions(4 * in_channels, channels[0])])
        for shallow, deep in zip(channels, channels[1:], strict=False):
            self.down.append(_two_convolutions(shallow, deep, stride=2))
        pairs = list(zip(channels, channels[1:], strict=False))
        self.reduce = nn.ModuleList(_reduction(deep, shallow) for shallow, deep in pairs)
        self.dropout = nn.ModuleList(ConsistentDropout(dropout) for _ in channels)
        self.up = nn.ModuleList(_two_convolutions(features, features) for features in channels[:-1])
        self.head = nn.Conv2d(channels[0], 4 * out_channels, 1)
        nn.init.constant_(self.head.get_parameter("bias")[4:].data, RARE)

    def encode(self, windows: torch.Tensor) -> list[torch.Tensor]:
        """Args: windows: (B, C, x, y). Returns: per level, fine to coarse, (B, features, x / 2, y / 2) and so on.

        Raises:
            ValueError: a size that is no multiple of the stride.
        """
        if any(extent % self.stride for extent in windows.shape[2:]):
            raise ValueError(f"window size {tuple(windows.shape[2:])} is no multiple of the network's stride {self.stride}")
        features = [F.pixel_unshuffle(windows, 2)]
        for level in self.down:
            features.append(level(features[-1]))
        return features[1:]

    def decode(self, features: Sequence[torch.Tensor], copies: int = 1) -> torch.Tensor:
        """Args: features: of `encode`. copies: how often each window is decoded, copy-major, as draws are.
        Returns: logits, (copies * B, classes, x, y)."""
        x = self.dropout[-1](_repeat(features[-1], copies))
        for level in reversed(range(len(self.up))):
            x = F.interpolate(self.reduce[level](x), scale_factor=2.0, mode="nearest") + _repeat(features[level], copies)
            x = self.up[level](self.dropout[level](x))
        return F.pixel_shuffle(self.head(x), 2)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Args: windows: (B, C, x, y). Returns: logits, (B, classes, x, y)."""
        return self.decode(self.encode(windows))


def _convolution(in_channels: int, out_channels: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
    return [convolution, Norm[Norm.BATCH, 2](out_channels), nn.LeakyReLU(SLOPE, inplace=True)]


def _two_convolutions(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(*_convolution(in_channels, out_channels, stride), *_convolution(out_channels, out_channels))


def _reduction(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, bias=False), Norm[Norm.BATCH, 2](out_channels))


def _repeat(x: torch.Tensor, copies: int) -> torch.Tensor:
    return x if copies == 1 else x.repeat(copies, *[1] * (x.ndim - 1))
