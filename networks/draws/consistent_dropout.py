"""Dropout whose mask belongs to a draw of the whole study, not to a window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from .draw import Draw
from .hash_noise import hash32, layer_key, uniform, uniform_on_grid
from .place import Place


@dataclass(frozen=True)
class DrawnWindows:
    """What a batch holds while draws are decoded: all windows of the first draw, then all of the second, and so on."""

    draws: Sequence[Draw]
    places: Sequence[Place]


class ConsistentDropout(nn.Module):
    """Dropout with one mask per draw, whatever window is looked at.

    In training mode this is the ordinary dropout of torch. In evaluation mode it is the identity, except inside
    `drawing`, where the mask is a pure function of (seed, draw, layer, channel) or, element-wise, of
    (seed, draw, layer, channel, global feature coordinate). A layer that is called several times in one pass masks
    anew each time, as torch's does.

    Args:
        p: probability that a channel or an element is zeroed.
        elementwise: mask single elements (keyed by global coordinate) in place of whole channels.

    Source: Gal and Ghahramani 2016 for dropout at prediction; one mask per draw as measured in docs/draws.md.
    """

    def __init__(self, p: float, elementwise: bool = False) -> None:
        super().__init__()
        if not 0.0 <= p < 1.0:
            raise ValueError(f"p must be in [0, 1), got {p}")
        self.p = p
        self.elementwise = elementwise
        self.key: int | None = None
        self.drawn: DrawnWindows | None = None
        self.calls = 0

    def extra_repr(self) -> str:
        return f"p={self.p}, elementwise={self.elementwise}"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Args: x: (draws * windows, channels, *spatial), draw-major. Returns: the same shape."""
        if self.training:
            return F.dropout(x, self.p) if self.elementwise else _FEATURE_DROPOUT[x.ndim - 2](x, self.p)
        if self.drawn is None or self.p == 0.0:
            return x
        key = int(hash32(_key_of(self), self.calls)) if self.calls else _key_of(self)
        self.calls += 1
        return (self._mask_elements if self.elementwise else self._mask_channels)(x, key, self.drawn)

    def _mask_channels(self, x: torch.Tensor, key: int, drawn: DrawnWindows) -> torch.Tensor:
        channels = torch.arange(x.shape[1], device=x.device)
        keep = torch.stack([uniform(draw.key, key, channels) >= self.p for draw in drawn.draws])  # (draws, channels)
        keep = keep.repeat_interleave(len(drawn.places), dim=0)  # (draws * windows, channels)
        return x * (keep.reshape(*keep.shape, *[1] * (x.ndim - 2)).to(x.dtype) / (1.0 - self.p))

    def _mask_elements(self, x: torch.Tensor, key: int, drawn: DrawnWindows) -> torch.Tensor:
        above = (-1, *[1] * (x.ndim - 1))  # axes below: channels, and those of space
        draws = torch.tensor([draw.key for draw in drawn.draws], device=x.device).reshape(above)
        channels = torch.arange(x.shape[1], device=x.device).reshape(above[:-1])
        grids = (place.feature_coordinates(x.shape[2:], device=x.device) for place in drawn.places)
        keep = [uniform_on_grid((draws, key, channels), grid).ge_(self.p) for grid in grids]  # of each window 1.0 and 0.0
        return x * torch.stack(keep, dim=1).flatten(0, 1).div_(1.0 - self.p).to(x.dtype)


_FEATURE_DROPOUT = {1: F.dropout1d, 2: F.dropout2d, 3: F.dropout3d}


def name_layers(network: nn.Module) -> list[ConsistentDropout]:
    """Give every consistent dropout layer the key of its own name. Returns the layers."""
    layers = []
    for name, module in network.named_modules():
        if isinstance(module, ConsistentDropout):
            module.key = layer_key(name)
            layers.append(module)
    return layers


@contextmanager
def drawing(layers: Sequence[ConsistentDropout], draws: Sequence[Draw], places: Sequence[Place]) -> Iterator[None]:
    """Within this context the layers mask a draw-major batch of (draws * windows).

    Raises:
        ValueError: a layer has no key yet.
    """
    for layer in layers:
        _key_of(layer)
    for layer in layers:
        layer.drawn, layer.calls = DrawnWindows(draws, places), 0
    try:
        yield
    finally:
        for layer in layers:
            layer.drawn = None


def _key_of(layer: ConsistentDropout) -> int:
    if layer.key is None:
        raise ValueError("a consistent dropout layer has no key: call name_layers on its network first")
    return layer.key
