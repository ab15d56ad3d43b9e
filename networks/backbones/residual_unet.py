"""A residual U-Net, 2-D or 3-D, whose encoder does most of the work and whose dropout sits in the decoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.layers.factories import Conv, Norm
from torch import nn
from torch.nn import functional as F

from ..draws.consistent_dropout import ConsistentDropout
from .backbone import HeadedBackbone


class ResidualUNet(HeadedBackbone):
    """U-Net with residual units on the way down, one convolution a level and channel dropout on the way up.

    Skips are added, not concatenated, and the deepest sum is formed in `encode`: nothing random lies before it, so a
    window is encoded once for any number of draws. Batch normalisation in evaluation mode does not depend on the
    window, unlike instance normalisation, so windows of one study agree.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the study.
        out_channels: classes.
        channels: features per level, from fine to coarse; each level halves the grid.
        units: residual units per level.
        dropout: probability of channel dropout before each decoder convolution, or one a decoder level, from fine to
            coarse: zeros place it in some levels alone. The weights have the same names wherever it is placed.

    Raises:
        ValueError: channels, units and dropout that do not name the same levels.

    Source: Ronneberger et al. 2015 (U-Net); He et al. 2016 (residual units); Tompson et al. 2015 (channel dropout).
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        channels: Sequence[int] = (16, 32, 64, 128),
        units: Sequence[int] = (1, 2, 2, 2),
        dropout: float | Sequence[float] = 0.2,
    ) -> None:
        super().__init__()
        if len(channels) != len(units) or len(channels) < 2:
            raise ValueError(f"channels and units must be of one length >= 2, got {channels} and {units}")
        rates = dropout if isinstance(dropout, Sequence) else [dropout] * (len(channels) - 1)
        if len(rates) != len(channels) - 1:
            raise ValueError(f"{len(channels) - 1} decoder levels, but {len(rates)} dropout probabilities: {dropout}")
        self.stride = 2 ** (len(channels) - 1)
        self.down = nn.ModuleList()
        previous = in_channels
        for level, (features, count) in enumerate(zip(channels, units, strict=True)):
            first = ResidualUnit(spatial_dims, previous, features, stride=2 if level else 1)
            self.down.append(nn.Sequential(first, *(ResidualUnit(spatial_dims, features, features) for _ in range(count - 1))))
            previous = features
        convolution = Conv[Conv.CONV, spatial_dims]
        self.reduce = nn.ModuleList(convolution(deep, shallow, 1) for shallow, deep in zip(channels, channels[1:], strict=False))
        self.dropout = nn.ModuleList(ConsistentDropout(rate) for rate in rates)
        self.up = nn.ModuleList(convolve_and_normalise(spatial_dims, features, features) for features in channels[:-1])
        self.head = convolution(channels[0], out_channels, 1)

    def encode(self, windows: torch.Tensor) -> list[torch.Tensor]:
        """Args: windows: (B, C, *spatial). Returns: per level but the deepest, fine to coarse, (B, features, *spatial),
        the last of them with the deepest level already added."""
        size = windows.shape[2:]
        if any(extent % self.stride for extent in size):
            raise ValueError(f"window size {tuple(size)} is no multiple of the network's stride {self.stride}")
        skips = []
        for level in self.down:
            windows = level(windows)
            skips.append(windows)
        deepest = skips.pop()
        skips[-1] = self._lift(len(skips) - 1, deepest, skips[-1])
        return skips

    def decode(self, features: Sequence[torch.Tensor], copies: int = 1) -> torch.Tensor:
        """Args: features: of `encode`. copies: how often each window is decoded, copy-major, as draws are.
        Returns: logits, (copies * B, classes, *spatial)."""
        return self.head(self.decode_features(features, copies))

    def decode_features(self, features: Sequence[torch.Tensor], copies: int = 1) -> torch.Tensor:
        """What the head sees, for heads of other kinds. Args: as `decode`. Returns: (copies * B, channels[0], *spatial)."""
        x = _repeat(features[-1], copies)
        for level in reversed(range(len(features))):
            if level < len(features) - 1:
                x = self._lift(level, x, _repeat(features[level], copies))
            x = F.relu(self.up[level](self.dropout[level](x)), inplace=True)
        return x

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Args: windows: (B, C, *spatial). Returns: logits, (B, classes, *spatial)."""
        return self.decode(self.encode(windows))

    def _lift(self, level: int, deep: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        return F.interpolate(self.reduce[level](deep), scale_factor=2.0, mode="nearest").add_(skip)


class ResidualUnit(nn.Module):
    """Two 3-convolutions with batch normalisation, and the input added."""

    def __init__(self, spatial_dims: int, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.first = convolve_and_normalise(spatial_dims, in_channels, out_channels, stride)
        self.second = convolve_and_normalise(spatial_dims, out_channels, out_channels)
        same = in_channels == out_channels and stride == 1
        self.shortcut = nn.Identity() if same else Conv[Conv.CONV, spatial_dims](in_channels, out_channels, 1, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Args: x: (B, in_channels, *spatial). Returns: (B, out_channels, *spatial / stride)."""
        first = F.relu(self.first(x), inplace=True)  # in place: a large map is mapped into memory anew each time
        return F.relu(self.second(first).add_(self.shortcut(x)), inplace=True)


def convolve_and_normalise(spatial_dims: int, in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """A padded 3-convolution without bias, then batch normalisation."""
    convolution = Conv[Conv.CONV, spatial_dims](in_channels, out_channels, 3, stride, padding=1, bias=False)
    return nn.Sequential(convolution, Norm[Norm.BATCH, spatial_dims](out_channels))


def _repeat(x: torch.Tensor, copies: int) -> torch.Tensor:
    return x if copies == 1 else x.repeat(copies, *[1] * (x.ndim - 1))
