"""What passes through a network's layers, found by running a copy on torch's `meta` device: shapes alone, no numbers."""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

_BATCH = 2


@dataclass(frozen=True)
class Probe:
    """One run of a network on windows of (2, in_channels, *size).

    Args:
        size: voxels per axis.
        answer: shape of the network's answer.
        inputs: name of each watched layer and shape of what entered it, in order of the calls.
        last: watched layers whose output is the network's answer, and that do nothing else.
        largest: elements of the largest tensor that any module answers with, for each voxel of a window.
    """

    size: tuple[int, ...]
    answer: tuple[int, ...]
    inputs: tuple[tuple[str, tuple[int, ...]], ...]
    last: frozenset[str]
    largest: float


def watch(network: nn.Module, kind: type[nn.Module], in_channels: int, size: tuple[int, ...]) -> Probe:
    """Run the network in evaluation mode and watch its layers of one kind.

    Args:
        network: left as it is; a copy runs.
        kind: class of the watched layers.
        in_channels: channels of a window.
        size: voxels of a window per axis.

    Raises:
        ValueError: the network does not run on such windows, or its answer is no tensor.
    """
    shadow = copy.deepcopy(network).to("meta").eval()
    inputs: list[tuple[str, tuple[int, ...]]] = []
    outputs: list[Any] = []
    elements: list[int] = []

    def note(name: str) -> Any:
        def hook(module: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
            inputs.append((name, tuple(arguments[0].shape)))
            outputs.append(output)

        return hook

    def weigh(module: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
        if isinstance(output, torch.Tensor):
            elements.append(output.numel())

    for name, module in shadow.named_modules():
        module.register_forward_hook(weigh)
        if isinstance(module, kind):
            module.register_forward_hook(note(name))
    answer = _run(shadow, in_channels, size)
    if not isinstance(answer, torch.Tensor):
        raise ValueError(f"{type(network).__name__} answers with a {type(answer).__name__}, not with one tensor of logits")
    calls = Counter(name for name, _ in inputs)
    last = frozenset(name for (name, _), output in zip(inputs, outputs, strict=True) if output is answer and calls[name] == 1)
    largest = max(elements) / (_BATCH * math.prod(size))
    return Probe(size, tuple(answer.shape), tuple(inputs), last, largest)


def find_random_modules(network: nn.Module, identity: type[nn.Module], in_channels: int, size: tuple[int, ...]) -> list[str]:
    """Names of the modules in which random numbers are made, in training or in evaluation mode, by whatever call.

    Args:
        network: left as it is; a copy runs.
        identity: class of layers that are taken for the identity.
        in_channels: channels of a window.
        size: voxels of a window per axis.

    Returns:
        Each innermost module's name with its class, in order of the first call.
    """
    found: dict[str, None] = {}
    for training in (False, True):
        shadow = copy.deepcopy(network).to("meta").train(training)
        for module in shadow.modules():
            if isinstance(module, identity):
                module.eval()
        with _name_callers(shadow) as callers, _RandomOperations(callers, found):
            _run(shadow, in_channels, size)
    return list(found)


def _run(shadow: nn.Module, in_channels: int, size: tuple[int, ...]) -> Any:
    try:
        with torch.no_grad():
            return shadow(torch.empty(_BATCH, in_channels, *size, device="meta"))
    except Exception as error:  # a network may fail on an unfit size in any way
        raise ValueError(f"{type(shadow).__name__} does not run on windows of {in_channels} x {size}: {error}") from error


@contextmanager
def _name_callers(shadow: nn.Module) -> Iterator[list[str]]:
    """The stack of the modules that run at the moment, kept by hooks."""
    callers: list[str] = []
    for name, module in shadow.named_modules():
        label = f"{name} ({type(module).__name__})".strip()
        module.register_forward_pre_hook(lambda *_, label=label: callers.append(label))
        module.register_forward_hook(lambda *_: callers.pop() and None)
    yield callers


class _RandomOperations(TorchDispatchMode):
    """Notes who calls an operation that torch itself marks as drawing random numbers."""

    def __init__(self, callers: list[str], found: dict[str, None]) -> None:
        super().__init__()
        self.callers = callers
        self.found = found

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if torch.Tag.nondeterministic_seeded in operation.tags:
            self.found[self.callers[-1]] = None
        return operation(*args, **(kwargs or {}))
