"""A sampler whose deterministic parts OpenVINO computes: members of an ensemble, the encoder before dropout."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import nn

from caveat.reasons import StudyRefused

from ..backbones.backbone import Backbone
from ..draws.sampler import Sampler
from ..samplers.dropout import DropoutSampler
from ..samplers.ensemble import Ensemble
from .openvino_function import Method, OpenVINOFunction

AnySampler = TypeVar("AnySampler", bound=Sampler)


class CompiledNetwork(nn.Module):
    """A whole network. Args: network: of windows to logits. precision: see `OpenVINOFunction`."""

    def __init__(self, network: nn.Module, precision: str) -> None:
        super().__init__()
        self.compiled = OpenVINOFunction(Method(network, network.forward), precision)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Args: windows: (B, C, *spatial). Returns: logits, (B, classes, *spatial)."""
        return self.compiled(windows)[0]


class CompiledBackbone(Backbone):
    """A backbone's encoder, and its decoder where nothing random is in it.

    Args:
        backbone: in evaluation mode. precision: see `OpenVINOFunction`.
        decoder: whether the decoder is compiled too; else it stays torch's, where dropout layers get their masks.
    """

    def __init__(self, backbone: Backbone, precision: str, decoder: bool) -> None:
        super().__init__()
        self.backbone = backbone
        self.encoder = OpenVINOFunction(Method(backbone, backbone.encode), precision)
        self.decoder = (
            OpenVINOFunction(Method(backbone, lambda *features: backbone.decode(features)), precision) if decoder else None
        )

    def encode(self, windows: torch.Tensor) -> list[torch.Tensor]:
        """See `Backbone`."""
        return self.encoder(windows)

    def decode(self, features: Sequence[torch.Tensor], copies: int = 1) -> torch.Tensor:
        """See `Backbone`."""
        if self.decoder is None or copies > 1:
            return self.backbone.decode(features, copies)
        return self.decoder(*features)[0]

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Args: windows: (B, C, *spatial). Returns: logits, (B, classes, *spatial)."""
        return self.decode(self.encode(windows))


def compile_sampler(sampler: AnySampler, precision: str = "float32") -> AnySampler:
    """A copy of a sampler with the same draws, computed by OpenVINO where that is possible.

    Args:
        sampler: in evaluation mode, on the processor. precision: "float32" or "bfloat16".

    Raises:
        StudyRefused: WRONG_USAGE where nothing of it can be compiled, or OpenVINO is not installed.
    """
    compiled = copy.deepcopy(sampler)
    found = [module for module in compiled.modules() if isinstance(module, Ensemble | DropoutSampler)]
    if not found:
        raise StudyRefused("WRONG_USAGE", f"the engine openvino computes no part of {type(sampler).__name__}; use torch")
    for module in found:
        if isinstance(module, Ensemble):
            module.networks = nn.ModuleList(compile_member(network, precision) for network in module.networks)
        else:
            module.backbone = CompiledBackbone(module.backbone, precision, decoder=False)
    return compiled.eval()


def compile_member(network: nn.Module, precision: str) -> nn.Module:
    """A member of an ensemble, whose features stay known where they were."""
    if isinstance(network, Backbone):
        return CompiledBackbone(network, precision, decoder=True)
    return CompiledNetwork(network, precision)
