"""What TorchScript makes of a sampler: its deterministic pass, traced."""

from __future__ import annotations

import torch
from torch import nn

SIDE = 64
"""Elements per axis of the window that is traced: a multiple of every backbone's stride."""


class TracedPass(nn.Module):
    """A network's forward pass as it runs on a window of zeros: what `torch.jit.script`, and so MONAI's `ckpt_export`, compiles.

    Draws, members and features of a sampler are more than TorchScript takes; none of the forward pass depends on the values of a
    window. Convolutional networks run windows of any size; a latent sampler tiles its windows, and takes batches and sizes other
    than that of the window traced with an error.

    A window has the channels that the outermost module with `in_channels` states: a convolution, or a backbone that folds pixels
    into channels before its first one.

    Args:
        network: in evaluation mode.
        further_axes: of the window, beyond those of the network's convolutions.
    """

    def __init__(self, network: nn.Module, further_axes: int = 0) -> None:
        super().__init__()
        first = next(module for module in network.modules() if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d))
        channels: int = next(getattr(module, "in_channels") for module in network.modules() if hasattr(module, "in_channels"))  # noqa: B009
        size = [SIDE] * (len(first.kernel_size) + further_axes)
        window = torch.zeros(1, channels, *size, device=first.weight.device)
        self.network = torch.jit.trace(network, window, check_trace=False)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Args: windows: (B, C, *spatial). Returns: logits, (B, classes, *spatial)."""
        return self.network(windows)
