"""Mixed precision for training on any device: MONAI's own switch covers CUDA alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from monai.inferers import Inferer


class AutocastInferer(Inferer):
    """Run the network once under autocast; the answer is float32.

    Args:
        dtype: precision of convolutions and matrix products; None leaves float32; "fastest" is bfloat16 where the
            device computes it.
        method: of the network, for losses that need more than its answer, such as `NoisyLogits.distribution`.
    """

    def __init__(self, dtype: torch.dtype | Literal["fastest"] | None = "fastest", method: str = "__call__") -> None:
        self.dtype = dtype
        self.method = method

    def __call__(self, inputs: torch.Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        """Args: inputs: (B, C, *spatial). Returns: what the method answers, such as logits, (B, classes, *spatial); float32."""
        dtype = fastest_dtype(inputs.device) if self.dtype == "fastest" else self.dtype
        with torch.autocast(inputs.device.type, dtype=dtype, enabled=dtype is not None):
            return getattr(network, self.method)(inputs, *args, **kwargs).float()


def fastest_dtype(device: torch.device) -> torch.dtype | None:
    """bfloat16 on a GPU, and on a processor that has instructions for it; elsewhere None, since it is emulated slowly."""
    return torch.bfloat16 if device.type == "cuda" or torch.ops.mkldnn._is_mkldnn_bf16_supported() else None
