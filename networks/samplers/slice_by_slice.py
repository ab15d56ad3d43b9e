"""A sampler of slices measures a volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn

from ..backbones.residual_unet import ResidualUNet
from ..draws.draw import Draw
from ..draws.place import Place
from ..draws.sampler import Sampler
from .low_rank_logits import LowRankLogits
from .multi_head import MultiHead
from .noisy_logits import NoisyLogits


@dataclass(frozen=True)
class SliceFeatures:
    """What `encode` hands to `decode`: the sampler's features of all slices of the windows, and how many slices a window has."""

    of_slices: Any
    slices: int


class SliceBySlice(Sampler):
    """Slices along the last axis pass one by one, and a draw is one draw over all of them.

    Noise that is shared within a draw (factors, a dropped channel, a member) is the same in every slice. Noise of single voxels
    is not: to the sampler the slices lie side by side on one long plane, so that each has coordinates of its own.

    Args:
        sampler: of one spatial axis less, without a context; one with a latent needs `LatentSlices`.

    Raises:
        ValueError: a sampler that needs aligned windows, or that changes the study for each draw.
    """

    further_axes = 1

    def __init__(self, sampler: Sampler) -> None:
        super().__init__()
        if sampler.align != 1 or sampler.has_views:
            raise ValueError(f"{type(sampler).__name__} has a grid or views of its own, which slices do not share")
        self.sampler = sampler
        self.source = sampler.source
        self.capacity = sampler.capacity

    @property
    def settings(self) -> dict[str, Any]:
        """The sampler's own, and that it saw slices."""
        return {"slices_of": type(self.sampler).__name__, **self.sampler.settings}

    def encode(self, windows: torch.Tensor, places: Sequence[Place], context: Any) -> SliceFeatures:
        """Args: windows: (B, C, *plane, slices). Returns: features of their slices."""
        return SliceFeatures(self.sampler.encode(as_batch(windows), in_one_plane(places), context), windows.shape[-1])

    def decode(self, features: SliceFeatures, draws: Sequence[Draw], places: Sequence[Place], context: Any) -> torch.Tensor:
        """Run the sampler on the slices. Returns: logits, (draws, B, classes, *plane, slices)."""
        logits = self.sampler.decode(features.of_slices, draws, in_one_plane(places), context)
        return torch.stack([as_volumes(draw, features.slices) for draw in logits])

    def summary(self, features: SliceFeatures) -> torch.Tensor:
        """The mean over a window's slices. Returns: (B, channels)."""
        return self.sampler.summary(features.of_slices).unflatten(0, (-1, features.slices)).mean(dim=1)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Args: windows: (B, C, *plane, slices). Returns: logits, (B, classes, *plane, slices)."""
        return as_volumes(self.sampler(as_batch(windows)), windows.shape[-1])

    def distribution(self, windows: torch.Tensor) -> torch.Tensor:
        """Of noisy logits: what their losses take. Args and returns: as `NoisyLogits.distribution`, of volumes."""
        return as_volumes(cast(NoisyLogits, self.sampler).distribution(as_batch(windows)), windows.shape[-1])

    def all_heads(self, windows: torch.Tensor) -> torch.Tensor:
        """Of several heads: what their loss takes. Args and returns: as `MultiHead.all_heads`, of volumes."""
        return as_volumes(cast(MultiHead, self.sampler).all_heads(as_batch(windows)), windows.shape[-1])

    @classmethod
    def example(cls) -> SliceBySlice:
        """Lines of a picture: noisy logits of a one-dimensional residual U-Net."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return cls(LowRankLogits(ResidualUNet(1, 1, 2, channels=(4, 6), units=(1, 1)), rank=3)).eval()


class OnSlices(nn.Module):
    """A network of slices as one of volumes, for samplers that ask whole networks: an ensemble, augmentation of the whole study.

    Args:
        network: pictures (B, C, *plane) to logits (B, classes, *plane). The last axis of a volume counts its slices.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Args: windows: (B, C, *plane, slices). Returns: logits, (B, classes, *plane, slices)."""
        return as_volumes(self.network(as_batch(windows)), windows.shape[-1])


def as_batch(volumes: torch.Tensor) -> torch.Tensor:
    """Args: volumes: (B, C, *plane, slices). Returns: (B * slices, C, *plane)."""
    return volumes.movedim(-1, 1).flatten(0, 1)


def as_volumes(slices: torch.Tensor, depth: int) -> torch.Tensor:
    """Args: slices: (B * depth, C, *plane). Returns: (B, C, *plane, depth)."""
    return slices.unflatten(0, (-1, depth)).movedim(1, -1)


def in_one_plane(places: Sequence[Place]) -> list[Place]:
    """The place of each slice of each window, on the plane that has all slices of the study side by side along its last axis."""
    flat = []
    for place in places:
        *plane, width, slices = place.study_size
        for number in range(place.origin[-1], place.origin[-1] + place.size[-1]):
            origin = (*place.origin[:-2], place.origin[-2] + number * width)
            flat.append(Place(origin, place.size[:-1], (*plane, width * slices)))
    return flat
