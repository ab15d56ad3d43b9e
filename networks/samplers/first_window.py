"""What a network of other people must do on its first window: answer as a segmentation network, and not draw by itself."""

from __future__ import annotations

import torch
from torch import nn

_TOLERANCE = 0.01
"""Of the largest logit: far above what the order of sums costs in half precision, far below what a mask changes."""


def try_first_window(network: nn.Module, window: torch.Tensor) -> torch.Tensor:
    """Run a network in evaluation mode twice on one window. Args: window: (1, C, *spatial).

    Functional dropout draws whatever the mode, and TorchScript traced in training mode stays in it.

    Returns:
        its answer, (1, classes, *spatial).

    Raises:
        ValueError: the network does not run on such windows, its answer is no tensor of logits on the window's grid, two answers
            differ, or it changed a buffer of its own, such as the mean of a batch normalisation.
    """
    name, size = getattr(network, "original_name", type(network).__name__), tuple(window.shape[2:])
    before = {key: buffer.clone() for key, buffer in network.named_buffers()}
    try:
        first, second = network(window), network(window)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise ValueError(f"{name} does not run on windows of {window.shape[1]} x {size}: {error}") from error
    if not isinstance(first, torch.Tensor):
        raise ValueError(f"{name} answers with a {type(first).__name__}, not with one tensor of logits")
    if first.shape[2:] != window.shape[2:]:
        raise ValueError(f"{name} answers windows of {size} with a tensor of {tuple(first.shape)}")
    if (first.float() - second.float()).abs().max() > _TOLERANCE * first.float().abs().max():
        raise ValueError(f"{name} draws by itself: two runs on one window differ. {_CAUSE}")
    moved = [key for key, buffer in network.named_buffers() if not torch.equal(buffer, before[key])]
    if moved:
        raise ValueError(f"{name} changes {', '.join(moved[:3])} in evaluation mode. {_CAUSE}")
    return first


_CAUSE = "A TorchScript module traced in training mode stays in it, as does functional dropout: export it again after .eval()"
