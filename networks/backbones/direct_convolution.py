"""Three-dimensional convolutions of one window at the speed of those of two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_SLOW = 20_480
"""Channels times depth times height up to which torch 2.13 does not call oneDNN for a single window."""


class DirectConvolution(TorchFunctionMode):
    """Within this context every float32 `conv3d` on a CPU runs in oneDNN.

    torch sends small ones of a batch of one to a kernel of its own that takes up to six times as long. The answers are equal but
    for the order of sums.
    """

    def __torch_function__(
        self, func: Callable, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run a function of torch, or the faster one; what is traced leaves for another engine, which knows torch's alone."""
        direct = func is torch.conv3d and not torch.jit.is_tracing()
        return (_conv3d if direct else func)(*args, **(kwargs or {}))


def _conv3d(
    input: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | str | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> torch.Tensor:
    """As `torch.conv3d`, whose parameters these are."""
    if isinstance(padding, str):
        return torch.conv3d(input, weight, bias, stride, padding, dilation, groups)
    single = type(input) is torch.Tensor and input.ndim == 5 and len(input) == 1 and input.shape[:-1].numel() <= _SLOW
    plain = input.dtype == weight.dtype == torch.float32 and input.device.type == "cpu"
    if not (single and plain and max(weight.shape[2:]) > 1):  # of kernel 1 torch's own is the faster
        return torch.conv3d(input, weight, bias, stride, padding, dilation, groups)
    return torch.mkldnn_convolution(input, weight, bias, _three(padding), _three(stride), _three(dilation), groups)


def _three(value: int | Sequence[int]) -> list[int]:
    return [value] * 3 if isinstance(value, int) else list(value)
