"""Draws by several samplers in turn: each network of an ensemble has draws of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import nn

from ..draws.draw import Draw
from ..draws.place import Place
from ..draws.sampler import Sampler
from .dropout import DropoutSampler


class SamplerEnsemble(Sampler):
    """Draw j is draw j of sampler j % K: networks that were trained apart, such as those of K folds, each with its dropout.

    The spread of every K-th draw is one network's own, that of all draws holds the difference between the networks too. The
    deterministic pass is the mean of the samplers' logits.

    Args:
        samplers: of one source, whose draws have no limit and no view of their own.

    Raises:
        ValueError: no sampler, one twice, sources that differ, draws with a limit or a view.
    """

    def __init__(self, samplers: Sequence[Sampler]) -> None:
        super().__init__()
        if not samplers or len(set(map(id, samplers))) < len(samplers):
            raise ValueError("an ensemble needs samplers, none of them twice")
        if len({sampler.source for sampler in samplers}) > 1:
            raise ValueError("draws of two sources are never pooled")
        if any(sampler.capacity is not None or sampler.has_views for sampler in samplers):
            raise ValueError("each sampler needs draws without limit and without a view of their own")
        self.samplers = cast(Sequence[Sampler], nn.ModuleList(samplers))  # whose type says nothing of its members
        self.source = samplers[0].source
        self.members = len(samplers)
        self.further_axes = samplers[0].further_axes
        self.align = math.lcm(*(sampler.align for sampler in samplers))

    @property
    def settings(self) -> dict[str, Any]:
        """Those of each sampler."""
        return {"samplers": [{"sampler": type(sampler).__name__, **sampler.settings} for sampler in self.samplers]}

    def begin(self, study: torch.Tensor) -> list[Any]:
        """The context of each sampler."""
        return [sampler.begin(study) for sampler in self.samplers]

    def encode(self, windows: torch.Tensor, places: Sequence[Place], context: Sequence[Any]) -> list[Any]:
        """The features of each sampler."""
        return [sampler.encode(windows, places, own) for sampler, own in zip(self.samplers, context, strict=True)]

    def decode(
        self, features: Sequence[Any], draws: Sequence[Draw], places: Sequence[Place], context: Sequence[Any]
    ) -> torch.Tensor:
        """Args: features: of `encode`. Returns: logits, (draws, B, classes, *spatial)."""
        logits: dict[int, torch.Tensor] = {}
        for member, sampler in enumerate(self.samplers):
            own = [draw for draw in draws if draw.index % self.members == member]
            if own:
                decoded = sampler.decode(features[member], own, places, context[member])
                logits |= {draw.index: values for draw, values in zip(own, decoded, strict=True)}
        return torch.stack([logits[draw.index] for draw in draws])

    def summary(self, features: Sequence[Any]) -> torch.Tensor:
        """Pooled features of the first sampler. Returns: (B, channels)."""
        return self.samplers[0].summary(features[0])

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """The mean of the samplers' logits. Args: windows: (B, C, *spatial). Returns: logits, (B, classes, *spatial)."""
        return torch.stack([sampler(windows) for sampler in self.samplers]).mean(dim=0)

    @classmethod
    def example(cls) -> SamplerEnsemble:
        """Two small networks with dropout."""
        first, second = DropoutSampler.example(), DropoutSampler.example()
        with torch.no_grad():
            for parameter in second.parameters():
                parameter.mul_(0.9)
        return cls([first, second]).eval()
