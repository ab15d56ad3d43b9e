"""Mixed precision for training on any device: MONAI's own switch covers CUDA alone."""

from __future__ import annotations

from typing import Any

import torch
from monai.inferers import Inferer


class AutocastInferer(Inferer):
    """Run the network once under autocast; the answer is float32.

    Args:
        dtype: precision of convolutions and matrix products; None leaves float32.
    """

    def __init__(self, dtype: torch.dtype | None = torch.bfloat16) -> None:
        self.dtype = dtype

    def __call__(self, inputs: torch.Tensor, network: torch.nn.Module, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Args: inputs: (B, C, *spatial). Returns: logits, (B, classes, *spatial), float32."""
        with torch.autocast(inputs.device.type, dtype=self.dtype, enabled=self.dtype is not None):
            return network(inputs, *args, **kwargs).float()
