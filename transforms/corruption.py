"""What a corruption of images is: one file in `corruptions/`, found by itself."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar

import numpy as np
from scipy import ndimage

from . import corruptions as room


@dataclass(frozen=True)
class LabelledImage:
    """An image and what was drawn on it, on one grid.

    Args:
        voxels: (channels, *spatial) float32, stored intensities.
        labels: label maps, (*spatial) each.
        spacing: length of an element per spatial axis. The unit is mm for volumes; for pictures, whose pixels have no known size,
            a thousandth of the shorter side.
        affine: (4, 4), index to position.
    """

    voxels: np.ndarray
    labels: tuple[np.ndarray, ...]
    spacing: tuple[float, ...]
    affine: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """Elements per spatial axis."""
        return self.voxels.shape[1:]


class Corruption(ABC):
    """Degrades an image in one way. Strength 0 leaves it as it is; larger is worse, in the unit that the class states."""

    unit: ClassVar[str]
    """What a strength counts; "length" is the unit of `LabelledImage.spacing`."""

    @property
    def name(self) -> str:
        """That of its file."""
        return type(self).__module__.rsplit(".", 1)[-1]

    @abstractmethod
    def __call__(self, image: LabelledImage, strength: float, random: np.random.RandomState) -> LabelledImage:
        """Degrade.

        Args:
            image: is left as it was.
            strength: 0 or more.
            random: everything drawn comes from it, so that one seed gives one image (numpy has frozen its streams).
        """


class IntensityCorruption(Corruption):
    """Nothing moves: labels stay what they are."""

    def __call__(self, image: LabelledImage, strength: float, random: np.random.RandomState) -> LabelledImage:
        """See `Corruption`."""
        voxels = self.change(image.voxels, image.spacing, strength, random)
        return replace(image, voxels=np.asarray(voxels, dtype=np.float32))

    @abstractmethod
    def change(self, voxels: np.ndarray, spacing: Sequence[float], strength: float, random: np.random.RandomState) -> np.ndarray:
        """Args: voxels: (channels, *spatial), not to be written to. Returns: same shape."""


class SpatialCorruption(Corruption):
    """The anatomy moves and the labels with it; the grid stands still. Beyond the border the outermost element goes on."""

    def __call__(self, image: LabelledImage, strength: float, random: np.random.RandomState) -> LabelledImage:
        """See `Corruption`. Linear interpolation for intensities, nearest for labels."""
        source = self.positions(image.shape, image.spacing, strength, random)
        voxels = np.stack([ndimage.map_coordinates(channel, source, order=1, mode="nearest") for channel in image.voxels])
        labels = tuple(ndimage.map_coordinates(label, source, order=0, mode="nearest") for label in image.labels)
        return replace(image, voxels=voxels, labels=labels)

    @abstractmethod
    def positions(
        self, shape: Sequence[int], spacing: Sequence[float], strength: float, random: np.random.RandomState
    ) -> np.ndarray:
        """Where each element of the result is taken from. Returns: (axes, *shape), in elements."""


def intensity_range(voxels: np.ndarray) -> float:
    """What strengths of noise are shares of: from the 1st to the 99th percentile, or all of it where these are equal."""
    low, high = np.percentile(voxels, [1, 99])
    return float(high - low) or float(np.ptp(voxels))


@cache
def all_corruptions() -> dict[str, Corruption]:
    """One of each corruption in `corruptions/` by name, in the order of the files' names."""
    return {corruption.name: corruption for corruption in (found() for found in _classes())}


def _classes() -> Iterator[type[Corruption]]:
    for module in sorted(info.name for info in pkgutil.iter_modules(room.__path__)):
        loaded = importlib.import_module(f"{room.__name__}.{module}")
        for member in vars(loaded).values():
            if isinstance(member, type) and issubclass(member, Corruption) and member.__module__ == loaded.__name__:
                yield member
