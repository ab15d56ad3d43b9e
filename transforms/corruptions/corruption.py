"""What a corruption of images is: one file in this folder, found by itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import ClassVar

import numpy as np
from scipy import ndimage, optimize

from caveat.reasons import StudyRefused

from ..plug_ins.classes_in import classes_in

CLOSE = 0.01
"""Elements within which a point must be taken from where it was."""


@dataclass(frozen=True)
class LabelledImage:
    """An image and what was drawn on it, on one grid.

    Args:
        voxels: (channels, *spatial) float32, stored intensities.
        labels: label maps, (*spatial) each.
        spacing: length of an element per spatial axis. The unit is mm where it is known; for pictures whose pixels have no known
            size, a thousandth of the shorter side.
        affine: (4, 4), index to position.
        points: (n, axes) float64, landmarks in elements; they may lie beyond the image.
    """

    voxels: np.ndarray
    labels: tuple[np.ndarray, ...]
    spacing: tuple[float, ...]
    affine: np.ndarray
    points: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", self.points.astype(np.float64).reshape(-1, len(self.shape)))  # (0, axes) for none

    @property
    def shape(self) -> tuple[int, ...]:
        """Elements per spatial axis."""
        return self.voxels.shape[1:]


class Corruption(ABC):
    """Degrades an image in one way. Strength 0 leaves it as it is; larger is worse, in the unit that the class states."""

    unit: ClassVar[str]
    """What a strength counts; "length" is the unit of `LabelledImage.spacing`."""
    uses_spacing: ClassVar[bool] = False
    """Whether what is done depends on the size of an element; then a volume whose voxels have no known size is refused."""
    signed: ClassVar[bool] = False
    """Whether a strength may be below zero: the same in the other direction."""

    @property
    def name(self) -> str:
        """That of its file."""
        return type(self).__module__.rsplit(".", 1)[-1]

    @abstractmethod
    def __call__(self, image: LabelledImage, strength: float, random: np.random.RandomState) -> LabelledImage:
        """Degrade.

        Args:
            image: is left as it was.
            strength: 0 or more, or of either sign where the class is `signed`.
            random: everything drawn comes from it, so that one seed gives one image (numpy has frozen its streams).
        """


class IntensityCorruption(Corruption):
    """Nothing moves: labels and points stay what they are."""

    def __call__(self, image: LabelledImage, strength: float, random: np.random.RandomState) -> LabelledImage:
        """See `Corruption`."""
        voxels = self.change(image.voxels, image.spacing, strength, random)
        return replace(image, voxels=np.asarray(voxels, dtype=np.float32))

    @abstractmethod
    def change(self, voxels: np.ndarray, spacing: Sequence[float], strength: float, random: np.random.RandomState) -> np.ndarray:
        """Args: voxels: (channels, *spatial), not to be written to. Returns: same shape."""


class SpatialCorruption(Corruption):
    """The anatomy moves, labels and points with it; the grid stands still. Beyond the border the outermost element goes on."""

    def __call__(self, image: LabelledImage, strength: float, random: np.random.RandomState) -> LabelledImage:
        """See `Corruption`. Linear interpolation for intensities, nearest for labels."""
        source = self.positions(image.shape, image.spacing, strength, random)
        voxels = np.stack([ndimage.map_coordinates(channel, source, order=1, mode="nearest") for channel in image.voxels])
        labels = tuple(ndimage.map_coordinates(label, source, order=0, mode="nearest") for label in image.labels)
        return replace(image, voxels=voxels, labels=labels, points=self.landings(image.points, source))

    def landings(self, points: np.ndarray, source: np.ndarray) -> np.ndarray:
        """Where points of the original lie in the result: the inverse of `positions`, between its elements by interpolation.

        Beyond the border everything moves as the outermost element does.

        Args:
            points: (n, axes), in elements. source: of `positions`.

        Returns:
            (n, axes), in elements.

        Raises:
            StudyRefused: FOLDED_IMAGE where the result shows some of the original twice.
            ArithmeticError: the search for a landing failed.
        """
        if not len(points):
            return points
        refuse_folded(source)
        shift = source - np.indices(source.shape[1:])

        def missed(landing: np.ndarray, point: np.ndarray) -> np.ndarray:
            moved = [ndimage.map_coordinates(along, landing[:, None], order=1, mode="nearest")[0] for along in shift]
            return landing + moved - point

        landings = np.array([optimize.root(missed, point, args=(point,)).x for point in points])
        if max(np.linalg.norm(missed(*pair)) for pair in zip(landings, points, strict=True)) > CLOSE:
            raise ArithmeticError("a point's landing was not found")
        return landings

    @abstractmethod
    def positions(
        self, shape: Sequence[int], spacing: Sequence[float], strength: float, random: np.random.RandomState
    ) -> np.ndarray:
        """Where each element of the result is taken from. Returns: (axes, *shape), in elements."""


def refuse_folded(source: np.ndarray) -> None:
    """Args: source: of `SpatialCorruption.positions`. Raises: StudyRefused: FOLDED_IMAGE."""
    slopes = np.stack([np.stack(np.gradient(along), axis=-1) for along in source], axis=-2)
    folded = np.count_nonzero(np.linalg.det(slopes) <= 0)
    if folded:
        raise StudyRefused("FOLDED_IMAGE", f"in {folded} of {source[0].size} elements")


def intensity_range(voxels: np.ndarray) -> float:
    """What strengths of noise are shares of: from the 1st to the 99th percentile, or all of it where these are equal."""
    low, high = np.percentile(voxels, [1, 99])
    return float(high - low) or float(np.ptp(voxels))


@cache
def all_corruptions() -> dict[str, Corruption]:
    """One of each corruption in this folder by name, in the order of the files' names."""
    return {corruption.name: corruption for corruption in (found() for found in classes_in(__package__, Corruption))}
