"""Sampler: a network that answers with draws."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import torch
from torch import nn

from .draw import Draw
from .place import Place
from .scriptable import TracedPass


class Source(StrEnum):
    """What varies between the draws of a sampler."""

    MODEL = "model"
    """The weights (dropout, ensemble): the network's own ignorance."""
    RATER = "rater"
    """The label (latent, low-rank, heads): the labels' ambiguity."""
    IMAGE = "image"
    """The image (test-time augmentation)."""


class Sampler(nn.Module, ABC):
    """Turns windows into draws; a plain deterministic network when called.

    The contract, held by tests/contracts/test_sampler.py for every concrete subclass:

    - a draw is a pure function of (seed, index): it repeats, two draws differ, and it does not depend on which windows
      share a batch, on their order, or on how the study is cut;
    - drawing changes no parameter and no buffer;
    - `forward` is deterministic.

    Attributes:
        source: what varies.
        capacity: how many different draws exist, None where there is no limit.
        align: window origins must be multiples of it; 1, or the network's stride where noise is keyed by feature coordinate.
        members: K, where draw j is by network j % K of K networks that were trained apart; 1 for one network.
        further_axes: of a window, beyond those of the network's convolutions: 1 where slices of a volume pass one by one.
        sees_geometry: whether `begin` needs the study's affine: it then gets a MetaTensor.
        has_views: whether `view` changes the study; draws of such a sampler run one at a time.
        settings: what else than weights decides the draws, such as the probability of dropout; as plain JSON. A calibration
            record holds for these settings only.
        voxel_bytes: what a voxel of a window takes in the network's largest feature map, in float32: how many windows and draws
            share a pass. Sixteen channels of full resolution, as in most U-Nets, where a sampler says nothing else.
    """

    source: Source
    capacity: int | None = None
    align: int = 1
    members: int = 1
    further_axes: int = 0
    sees_geometry: bool = False
    has_views: bool = False
    voxel_bytes: float = 64.0

    @property
    def settings(self) -> dict[str, Any]:
        """See above; nothing where the weights say it all."""
        return {}

    def begin(self, study: torch.Tensor) -> Any:
        """Look at the whole study once, deterministically. Args: study: (1, C, *spatial). Returns: the context."""
        return None

    def stated(self, context: Any) -> torch.Tensor | None:
        """What is stated in place of the mean over the draws, after all of them: where a network has an answer of its own, such
        as that of the mean of its members' logits.

        Args: context: of `begin`. Returns: logits, (1, classes, *spatial); None where the mean is stated.
        """
        return None

    @abstractmethod
    def encode(self, windows: torch.Tensor, places: Sequence[Place], context: Any) -> Any:
        """The part of the work that all draws share. Args: windows: (B, C, *spatial). Returns: features."""

    @abstractmethod
    def decode(self, features: Any, draws: Sequence[Draw], places: Sequence[Place], context: Any) -> torch.Tensor:
        """Args: features: of `encode`. Returns: logits, (draws, B, classes, *spatial)."""

    @abstractmethod
    def summary(self, features: Any) -> torch.Tensor:
        """Pooled features for the gate. Args: features: of `encode`. Returns: (B, channels)."""

    @abstractmethod
    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """The deterministic pass. Args: windows: (B, C, *spatial). Returns: logits, (B, classes, *spatial)."""

    def view(self, study: torch.Tensor, draw: Draw) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]:
        """The study as this draw sees it, and the way back.

        Args: study: (1, C, *spatial). Returns: the transformed study, and a function that maps values (draws, classes,
        *spatial of the view) back onto the study's grid.
        """
        return study, lambda values: values

    def __prepare_scriptable__(self) -> nn.Module:
        """What torch compiles in its place."""
        return TracedPass(self, self.further_axes)

    @classmethod
    @abstractmethod
    def example(cls) -> Sampler:
        """A tiny seeded instance for the contract tests: 2-D, one channel in, two classes out, in evaluation mode."""
