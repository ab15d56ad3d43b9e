"""Draws by looking at the whole study mirrored and turned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import nn

from ..backbones.pooled_features import pool_windows
from ..backbones.residual_unet import ResidualUNet
from ..draws.draw import Draw
from ..draws.evaluation_mode import refuse_training_mode
from ..draws.hash_noise import gaussian, layer_key
from ..draws.place import Place
from ..draws.sampler import Sampler, Source
from .first_window import try_first_window


@dataclass(frozen=True)
class FlipAndTurn:
    """Mirror some axes, then turn by quarters in a plane. Axes count the spatial ones, from 0.

    Args:
        flips: axes to mirror.
        plane: the two axes of the turn.
        quarters: number of 90-degree turns.
    """

    flips: tuple[int, ...] = ()
    plane: tuple[int, ...] = (0, 1)
    quarters: int = 0

    def apply(self, values: torch.Tensor) -> torch.Tensor:
        """Args: values: (*, *, *spatial). Returns: the transformed values; odd turns exchange the plane's sizes."""
        return torch.rot90(values.flip([axis + 2 for axis in self.flips]), self.quarters, [axis + 2 for axis in self.plane])

    def invert(self, values: torch.Tensor) -> torch.Tensor:
        """Undo `apply`, exactly. Args: values: (*, *, *spatial of the view)."""
        return torch.rot90(values, -self.quarters, [axis + 2 for axis in self.plane]).flip([axis + 2 for axis in self.flips])


def distinct_transforms(
    spatial_dims: int, flip_axes: Sequence[int], turn_plane: tuple[int, ...] | None = None
) -> tuple[FlipAndTurn, ...]:
    """Every mirroring of the axes with every turn in the plane, each transform once, the identity first."""
    numbered = torch.arange(3**spatial_dims).reshape(1, 1, *[3] * spatial_dims)
    found: dict[tuple[int, ...], FlipAndTurn] = {}
    for quarters in range(4 if turn_plane else 1):
        for mirrored in product((False, True), repeat=len(flip_axes)):
            flips = tuple(axis for axis, mirror in zip(flip_axes, mirrored, strict=True) if mirror)
            transform = FlipAndTurn(flips, turn_plane or (0, 1), quarters)
            found.setdefault(tuple(transform.apply(numbered).flatten().tolist()), transform)
    return tuple(found.values())


class TestTimeAugmentation(Sampler):
    """Draw k sees the whole study through transform k; draw 0 sees it as it is. Seeds matter to changed intensities alone.

    Args:
        network: any network of windows (B, C, *spatial) to logits (B, classes, *spatial).
        spatial_dims: 2 or 3.
        flip_axes: spatial axes to mirror, from 0; all where None.
        turn_plane: two spatial axes to turn in by 90, 180 and 270 degrees. Only where their spacing is equal; the
            sampler cannot know. None for no turns.
        intensity: how far each channel's contrast and brightness are changed as well, all draws but the first: standard
            deviation of the logarithm of the contrast, and of the brightness in standard deviations of the study. The transforms
            then come in turn, and draws have no limit. 0 leaves intensities alone.

    Source: Wang et al. 2019 (test-time augmentation for segmentation).
    """

    __test__ = False  # pytest collects classes by such a name
    source = Source.IMAGE
    has_views = True

    def __init__(
        self,
        network: nn.Module,
        spatial_dims: int,
        flip_axes: Sequence[int] | None = None,
        turn_plane: tuple[int, int] | None = None,
        intensity: float = 0.0,
    ) -> None:
        super().__init__()
        axes = tuple(range(spatial_dims)) if flip_axes is None else tuple(flip_axes)
        plane = None if turn_plane is None else tuple(turn_plane)
        unknown = {*axes, *(plane or ())} - set(range(spatial_dims))
        if unknown or (plane is not None and len(set(plane)) != 2):
            raise ValueError(f"flip_axes {axes} and turn_plane {plane} must name axes of {spatial_dims}, a plane two of them")
        self.network = network
        self.transforms = distinct_transforms(spatial_dims, axes, plane)
        self.intensity = intensity
        self.capacity = None if intensity else len(self.transforms)
        self._tried = False

    @property
    def settings(self) -> dict[str, Any]:
        """Axes mirrored, plane and quarter turns of every view; how far intensities are changed, where they are."""
        views = [[list(one.flips), list(one.plane), one.quarters] for one in self.transforms]
        return {"views": views} | ({"intensity": self.intensity} if self.intensity else {})

    def view(self, study: torch.Tensor, draw: Draw) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]:
        """The study through the draw's transform, and the way back.

        Args:
            study: (1, C, *spatial).
            draw: its index is the transform's number.

        Returns:
            The transformed study, and the inverse on values (draws, classes, *spatial of the view).

        Raises:
            ValueError: a draw beyond the last transform.
        """
        if draw.index < 0 or (self.capacity is not None and draw.index >= self.capacity):
            raise ValueError(f"{self.capacity} distinct transforms have no draw {draw.index}")
        transform = self.transforms[draw.index % len(self.transforms)]
        seen = self._changed(study, draw) if self.intensity and draw.index else study
        return transform.apply(seen), transform.invert

    def _changed(self, study: torch.Tensor, draw: Draw) -> torch.Tensor:
        """Another contrast about the mean of each channel, and another brightness."""
        channels = torch.arange(study.shape[1], device=study.device)
        by = [
            self.intensity * gaussian(draw.key, layer_key(what), channels).reshape(1, -1, *[1] * (study.ndim - 2))
            for what in ("contrast", "brightness")
        ]
        axes = tuple(range(2, study.ndim))
        mean, deviation = study.mean(axes, keepdim=True), study.std(axes, keepdim=True)
        return mean + (study - mean) * by[0].exp() + by[1] * deviation

    def encode(self, windows: torch.Tensor, places: Sequence[Place], context: None) -> torch.Tensor:
        """The windows themselves, of the study as the draw sees it."""
        return windows

    def decode(self, features: torch.Tensor, draws: Sequence[Draw], places: Sequence[Place], context: None) -> torch.Tensor:
        """Run the network on windows of one draw's view. Returns: logits, (1, B, classes, *spatial).

        Raises:
            ValueError: more draws than one: they do not share their windows; or a network unfit for it, see
                `try_first_window`.
        """
        refuse_training_mode(self)
        if len(draws) != 1:
            raise ValueError(f"draws with views of their own run one at a time, got {len(draws)}")
        if not self._tried:
            try_first_window(self.network, features[:1])
            self._tried = True
        return self.network(features).unsqueeze(0)

    def summary(self, features: torch.Tensor) -> torch.Tensor:
        """Pooled features of the network where it has an encoder, else of the windows. Returns: (B, channels)."""
        return pool_windows(self.network, features)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """The network on the windows as they are. Args: windows: (B, C, *spatial). Returns: logits."""
        return self.network(windows)

    @classmethod
    def example(cls) -> TestTimeAugmentation:
        """A small residual U-Net seen in the eight ways of a square."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return cls(ResidualUNet(2, 1, 2, channels=(4, 6), units=(1, 1)), spatial_dims=2, turn_plane=(0, 1)).eval()
