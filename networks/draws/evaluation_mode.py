"""Drawing happens in evaluation mode alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

_one_at_a_time = threading.RLock()
"""Of all networks: two samplers may share layers, and two networks the reducers that hold a study's draws."""


def refuse_training_mode(sampler: nn.Module) -> None:
    """Refuse to draw from a network in training mode: its batch statistics would move and its masks would be torch's own.

    Raises:
        ValueError: the sampler or a module of it is in training mode.
    """
    for name, module in sampler.named_modules():
        if getattr(module, "training", False):  # frozen TorchScript has no mode: it was frozen in that of evaluation
            raise ValueError(f"draws need evaluation mode, and {name or type(module).__name__} is in training mode: call .eval()")


@contextmanager
def evaluation_mode(network: nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode, and give each module its own mode back: a parent's says nothing of its members'.

    Threads wait for each other: a network holds the draw that it is at, and its modes are one for all.
    """
    with _one_at_a_time:
        modes = [(module, module.training) for module in network.modules() if hasattr(module, "training")]
        for module, _ in modes:
            module.training = False
        try:
            yield
        finally:
            for module, training in modes:
                module.training = training
