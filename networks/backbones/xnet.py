"""XNet: two encoder-decoder passes in a W, for radiographs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from ..draws.consistent_dropout import ConsistentDropout
from .backbone import Backbone


class XNet(Backbone):
    """One convolution a level; skips within each pass, and from the first pass's top level to the last.

    The second pass starts at half resolution and pools twice, the first three times. All that is random lies in the second
    pass, so a window is encoded once for any number of draws.

    Args:
        in_channels: channels of the study.
        out_channels: classes.
        channels: features of the four levels, from fine to coarse; published with 64, 128, 256 and 512.
        kernel_size: of the convolutions, 5 or 3 as published.
        dropout: probability of channel dropout before each convolution of the second pass but its first two.

    Source: Bullock, Cuesta-Lazaro and Quera-Bofarull, "XNet: a convolutional neural network (CNN) implementation for medical
    X-ray image segmentation suitable for small datasets", SPIE Medical Imaging 2019, arXiv 1812.00548.
    """

    stride = 8

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        channels: Sequence[int] = (64, 128, 256, 512),
        kernel_size: int = 5,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        a, b, c, d = channels

        def level(incoming: int, outgoing: int) -> nn.Sequential:
            return convolve_normalise_activate(incoming, outgoing, kernel_size)

        self.down = nn.ModuleList([level(in_channels, a), level(a, b), level(b, c)])
        self.middle = nn.Sequential(level(c, d), level(d, d))
        self.up = nn.ModuleList([level(d, c), level(2 * c, b)])
        self.down_again = nn.ModuleList([level(2 * b, b), level(b, c)])
        self.middle_again = nn.Sequential(level(c, d), level(d, d))
        self.up_again = nn.ModuleList([level(d, c), level(2 * c, b), level(2 * b, a)])
        self.dropout = nn.ModuleList(ConsistentDropout(dropout) for _ in range(4))
        self.head = nn.Conv2d(2 * a, out_channels, 1)

    def encode(self, windows: torch.Tensor) -> list[torch.Tensor]:
        """Args: windows: (B, C, rows, columns). Returns: skips to the last three levels, fine to coarse, (B, features, *grid).

        Raises:
            ValueError: a side that is no multiple of 8.
        """
        size = windows.shape[2:]
        if any(extent % self.stride for extent in size):
            raise ValueError(f"window size {tuple(size)} is no multiple of the network's stride {self.stride}")
        top = self.down[0](windows)
        second = self.down[1](F.max_pool2d(top, 2))
        third = self.down[2](F.max_pool2d(second, 2))
        x = self.middle(F.max_pool2d(third, 2))
        x = torch.cat([self.up[0](_upsample(x)), third], dim=1)
        x = torch.cat([self.up[1](_upsample(x)), second], dim=1)
        second = self.down_again[0](x)
        return [top, second, self.down_again[1](F.max_pool2d(second, 2))]

    def decode(self, features: Sequence[torch.Tensor], copies: int = 1) -> torch.Tensor:
        """Args: features: of `encode`. copies: how often each window is decoded, copy-major, as draws are.
        Returns: logits, (copies * B, classes, rows, columns)."""
        skips = [skip.repeat(copies, 1, 1, 1) for skip in features]
        x = self.middle_again(self.dropout[0](F.max_pool2d(skips[-1], 2)))
        for level, dropout, skip in zip(self.up_again, list(self.dropout)[1:], reversed(skips), strict=True):
            x = torch.cat([level(dropout(_upsample(x))), skip], dim=1)
        return self.head(x)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Args: windows: (B, C, rows, columns). Returns: logits, (B, classes, rows, columns)."""
        return self.decode(self.encode(windows))


def convolve_normalise_activate(in_channels: int, out_channels: int, kernel_size: int) -> nn.Sequential:
    """A padded convolution with bias, batch normalisation, ReLU: one level of XNet and of SegNet."""
    convolution = nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2)
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))


def _upsample(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
