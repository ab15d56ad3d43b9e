"""Networks that draw by themselves, whatever mode they are in: functional dropout, TorchScript traced in training mode."""

from __future__ import annotations

import torch
from torch import nn

_TOLERANCE = 0.01
"""Of the largest logit: far above what the order of sums costs in half precision, far below what a mask changes."""


def refuse_own_randomness(network: nn.Module, window: torch.Tensor) -> None:
    """Run a network in evaluation mode twice on one window. Args: window: (1, C, *spatial).

    Raises:
        ValueError: the answers differ, or the network changed a buffer of its own, such as the mean of a batch normalisation.
    """
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    first, second = network(window).float(), network(window).float()
    name = getattr(network, "original_name", type(network).__name__)
    if (first - second).abs().max() > _TOLERANCE * first.abs().max():
        raise ValueError(f"{name} draws by itself: two runs on one window differ. {_CAUSE}")
    moved = [key for key, buffer in network.named_buffers() if not torch.equal(buffer, before[key])]
    if moved:
        raise ValueError(f"{name} changes {', '.join(moved[:3])} in evaluation mode. {_CAUSE}")


_CAUSE = "A TorchScript module traced in training mode stays in it, as does functional dropout: export it again after .eval()"
