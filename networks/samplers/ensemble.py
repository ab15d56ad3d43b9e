"""Draws by asking several networks: a draw is a member."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from ..backbones.backbone import Backbone
from ..backbones.pooled_features import pool
from ..backbones.residual_unet import ResidualUNet
from ..draws.draw import Draw
from ..draws.evaluation_mode import refuse_training_mode
from ..draws.place import Place
from ..draws.sampler import Sampler, Source
from .first_window import try_first_window


@dataclass(frozen=True)
class EnsembleFeatures:
    """What `encode` hands to `decode`: the windows, and what the encoder of member 0 makes of them, where one is known."""

    windows: torch.Tensor
    first: list[torch.Tensor] | None


class Ensemble(Sampler):
    """Draw k is member k, whatever the seed. The deterministic pass is the mean of the members' logits.

    Args:
        networks: the members: any networks of windows (B, C, *spatial) to logits (B, classes, *spatial).

    Raises:
        ValueError: no member, or one that is given twice.

    Source: Lakshminarayanan et al. 2017.
    """

    source = Source.MODEL
    capacity: int

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        if not networks:
            raise ValueError("an ensemble needs at least one network")
        if len(set(map(id, networks))) < len(networks):
            raise ValueError("one network is a member twice: its draws would be the same")
        self.networks = nn.ModuleList(networks)
        self.capacity = self.members = len(self.networks)
        self._tried: set[int] = set()

    def encode(self, windows: torch.Tensor, places: Sequence[Place], context: None) -> EnsembleFeatures:
        """Members share nothing; of member 0 the features are kept, which the gate looks at."""
        refuse_training_mode(self)
        member = self.networks[0]
        return EnsembleFeatures(windows, member.encode(windows) if isinstance(member, Backbone) else None)

    def decode(self, features: EnsembleFeatures, draws: Sequence[Draw], places: Sequence[Place], context: None) -> torch.Tensor:
        """Run the members that are asked for. Returns: logits, (draws, B, classes, *spatial).

        Raises:
            ValueError: a draw beyond the last member, or a member unfit for it, see `try_first_window`.
        """
        refuse_training_mode(self)
        beyond = [draw.index for draw in draws if not 0 <= draw.index < self.capacity]
        if beyond:
            raise ValueError(f"an ensemble of {self.capacity} has no draw {beyond[0]}")
        for index in sorted({draw.index for draw in draws} - self._tried):
            try_first_window(self.networks[index], features.windows[:1])
            self._tried.add(index)
        return torch.stack([self._member(draw.index, features) for draw in draws])

    def _member(self, index: int, features: EnsembleFeatures) -> torch.Tensor:
        member = self.networks[index]
        if index == 0 and features.first is not None and isinstance(member, Backbone):
            return member.decode(features.first)
        return member(features.windows)

    def summary(self, features: EnsembleFeatures) -> torch.Tensor:
        """Pooled features of member 0 where it has an encoder, else of the windows. Returns: (B, channels)."""
        return pool(features.windows if features.first is None else features.first)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """The mean of the members' logits. Args: windows: (B, C, *spatial). Returns: logits, (B, classes, *spatial)."""
        return torch.stack([network(windows) for network in self.networks]).mean(dim=0)

    @classmethod
    def example(cls) -> Ensemble:
        """Three small residual U-Nets."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return cls([ResidualUNet(2, 1, 2, channels=(4, 6), units=(1, 1)) for _ in range(3)]).eval()
