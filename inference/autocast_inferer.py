"""Mixed precision for training on any device: MONAI's own switch covers CUDA alone."""

from __future__ import annotations

from typing import Any

import torch
from monai.inferers import Inferer


class AutocastInferer(Inferer):
    """Run the network once under autocast; the answer is float32.

    Args:
        dtype: precision of convolutions and matrix products; None leaves float32.
        method: of the network, for losses that need more than its answer, such as `NoisyLogits.distribution`.
    """

    def __init__(self, dtype: torch.dtype | None = torch.bfloat16, method: str = "__call__") -> None:
        self.dtype = dtype
        self.method = method

    def __call__(self, inputs: torch.Tensor, network: torch.nn.Module, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Args: inputs: (B, C, *spatial). Returns: what the method answers, such as logits, (B, classes, *spatial); float32."""
        with torch.autocast(inputs.device.type, dtype=self.dtype, enabled=self.dtype is not None):
            return getattr(network, self.method)(inputs, *args, **kwargs).float()
