"""A simplified SegNet: the decoder puts features back where the pooling took them from."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from .xnet import convolve_normalise_activate


class SegNet(nn.Module):
    """One convolution a level on the way down and up; no skips but the indices of the maxima.

    Args:
        in_channels: channels of the study.
        out_channels: classes.
        channels: features per level, from fine to coarse; each level is pooled once.
        kernel_size: of the convolutions.

    Source: Badrinarayanan, Kendall and Cipolla 2017; simplified as in the comparison of XNet's authors (see `XNet`).
    """

    def __init__(
        self, in_channels: int, out_channels: int, channels: Sequence[int] = (16, 32, 64, 128), kernel_size: int = 3
    ) -> None:
        super().__init__()
        self.stride = 2 ** len(channels)
        below = [in_channels, *channels[:-1]]
        above = [channels[0], *channels[:-1]]
        self.down = nn.ModuleList(
            convolve_normalise_activate(one, other, kernel_size) for one, other in zip(below, channels, strict=True)
        )
        self.up = nn.ModuleList(
            convolve_normalise_activate(other, one, kernel_size) for one, other in zip(above, channels, strict=True)
        )
        self.head = nn.Conv2d(channels[0], out_channels, 1)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Args: windows: (B, C, rows, columns). Returns: logits, (B, classes, rows, columns).

        Raises:
            ValueError: a side that is no multiple of the stride.
        """
        size = windows.shape[2:]
        if any(extent % self.stride for extent in size):
            raise ValueError(f"window size {tuple(size)} is no multiple of the network's stride {self.stride}")
        x, taken = windows, []
        for level in self.down:
            x, indices = F.max_pool2d(level(x), 2, return_indices=True)
            taken.append(indices)
        for level, indices in zip(reversed(self.up), reversed(taken), strict=True):
            x = level(F.max_unpool2d(x, indices, (2, 2)))
        return self.head(x)
