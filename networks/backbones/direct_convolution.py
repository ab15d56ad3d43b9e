"""Three-dimensional convolutions by those of torch's kernels that are fast for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_SLOW = 20_480
"""Channels times depth times height up to which torch 2.13 does not call oneDNN for a single window."""


_FEW = 4
"""Channels of the answer up to which oneDNN's transposed convolution, which torch 2.13 calls for several windows, is slower."""


class DirectConvolution(TorchFunctionMode):
    """Within this context every float32 `conv3d` on a CPU runs in oneDNN, and a transposed one to few channels does not.

    torch sends small convolutions of a batch of one to a kernel of its own that takes up to six times as long. Of transposed ones
    to the channels of a few classes its own kernel is up to four times as fast, and it runs for a batch of one alone. The answers
    are equal but for the order of sums.
    """

    def __torch_function__(
        self, func: Callable, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run a function of torch, or the faster one; what is traced leaves for another engine, which knows torch's alone."""
        faster = func if torch.jit.is_tracing() else _FASTER.get(func, func)
        return faster(*args, **(kwargs or {}))


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


def _conv_transpose3d(
    input: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> torch.Tensor:
    """As `torch.conv_transpose3d`, whose parameters these are."""
    several = type(input) is torch.Tensor and input.ndim == 5 and len(input) > 1 and input.device.type == "cpu"
    few = groups == 1 and weight.shape[1] <= _FEW
    rest = weight, bias, stride, padding, output_padding, groups, dilation
    if not (several and few and input.dtype == weight.dtype == torch.float32):
        return torch.conv_transpose3d(input, *rest)
    return torch.cat([torch.conv_transpose3d(window, *rest) for window in input.split(1)])


_FASTER: Mapping[Callable, Callable] = {torch.conv3d: _conv3d, torch.conv_transpose3d: _conv_transpose3d}


def _three(value: int | Sequence[int]) -> list[int]:
    return [value] * 3 if isinstance(value, int) else list(value)
