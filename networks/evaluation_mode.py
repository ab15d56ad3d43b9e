"""Drawing happens in evaluation mode alone."""

from __future__ import annotations

from torch import nn


def refuse_training_mode(sampler: nn.Module) -> None:
    """Refuse to draw from a network in training mode: its batch statistics would move and its masks would be torch's own.

    Raises:
        ValueError: the sampler or a module of it is in training mode.
    """
    for name, module in sampler.named_modules():
        if module.training:
            raise ValueError(f"draws need evaluation mode, and {name or type(module).__name__} is in training mode: call .eval()")
