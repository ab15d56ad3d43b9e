"""Features of a window in one number a channel, for the gate."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from .backbone import Backbone


def pool(features: torch.Tensor | Sequence[torch.Tensor]) -> torch.Tensor:
    """Spatial mean of the deepest features. Args: features: (B, channels, *spatial), or a list from fine to coarse.
    Returns: (B, channels), float32."""
    deepest = features if isinstance(features, torch.Tensor) else features[-1]
    return deepest.float().flatten(2).mean(dim=2)


def pool_windows(network: nn.Module, windows: torch.Tensor) -> torch.Tensor:
    """Pooled features of the network's encoder or, where it has none, of the windows themselves.

    Args:
        network: any network; a `Backbone` has an encoder, of others none is known.
        windows: (B, C, *spatial).

    Returns:
        (B, channels), float32.
    """
    return pool(network.encode(windows) if isinstance(network, Backbone) else windows)
