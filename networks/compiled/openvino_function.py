"""A function of tensors that OpenVINO computes in place of torch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

from caveat.reasons import StudyRefused

SHAPES_KEPT = 8
"""Studies of one list often have a few shapes; each is compiled once, which costs about as much as ten runs."""
PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}
"""Said each time: on a processor with bfloat16, OpenVINO takes it by itself."""


class OpenVINOFunction(nn.Module):
    """Computes what a module of tensors computes, on the processor, compiled for each shape that comes.

    Equal to torch to about 1e-6 of the largest logit in float32: sums have another order.

    Args:
        function: tensors to one tensor or several, deterministic, in evaluation mode.
        precision: "float32" or "bfloat16".

    Raises:
        StudyRefused: WRONG_USAGE where OpenVINO is not installed, or cannot take the function over.
    """

    def __init__(self, function: nn.Module, precision: str = "float32") -> None:
        super().__init__()
        if find_spec("openvino") is None:
            raise StudyRefused("WRONG_USAGE", "the engine openvino is not installed: pip install 'caveat[openvino]'")
        self.function = function
        self.precision = precision
        self._compiled: OrderedDict[tuple[torch.Size, ...], Any] = OrderedDict()

    def forward(self, *tensors: torch.Tensor) -> list[torch.Tensor]:
        """Args: tensors: float32, on the processor. Returns: the function's answers, float32."""
        shapes = tuple(tensor.shape for tensor in tensors)
        if shapes not in self._compiled:
            self._compiled[shapes] = self._compile(tensors)
            if len(self._compiled) > SHAPES_KEPT:
                self._compiled.popitem(last=False)
        self._compiled.move_to_end(shapes)
        found = self._compiled[shapes]([tensor.contiguous().numpy() for tensor in tensors])
        return [torch.from_numpy(found[index].copy()) for index in range(len(found))]

    def _compile(self, tensors: Sequence[torch.Tensor]) -> Any:
        import openvino

        try:
            with torch.autocast("cpu", enabled=False):  # the precision is said below, and casts would be traced
                model = openvino.convert_model(self.function, example_input=tuple(tensors))
            model.reshape({port: list(tensor.shape) for port, tensor in zip(model.inputs, tensors, strict=True)})
            how = {
                "INFERENCE_PRECISION_HINT": PRECISIONS[self.precision],
                "INFERENCE_NUM_THREADS": torch.get_num_threads(),
                "NUM_STREAMS": 1,
            }
            return openvino.Core().compile_model(model, "CPU", how)
        except Exception as error:  # its front end fails in many ways on what it does not know
            name = type(self.function).__name__
            raise StudyRefused("WRONG_USAGE", f"OpenVINO cannot take over {name}; use the engine torch") from error


class Method(nn.Module):
    """A method of a network as a module of its own: what is traced is `forward`."""

    def __init__(self, network: nn.Module, method: Callable[..., Any]) -> None:
        super().__init__()
        self.network = network
        self.method = method

    def forward(self, *tensors: torch.Tensor) -> Any:
        """Several tensors are a tuple, which tracing knows, a list it does not."""
        found = self.method(*tensors)
        return tuple(found) if isinstance(found, list) else found
