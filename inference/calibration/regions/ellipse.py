"""An ellipse, or an ellipsoid, around a landmark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .disc import SIZES, size_of
from .region import Region

Matrix = tuple[tuple[float, ...], ...]


def scaled_distance(centre: np.ndarray, place: np.ndarray, shape: np.ndarray) -> float:
    """Distance in the ellipse's own measure, sqrt((y - y')' S^-1 (y - y')). Args: places (axes,), mm. shape: S, mm2."""
    error = np.asarray(place, float) - centre
    solved = np.linalg.solve(shape, error[..., None])[..., 0]
    return float(np.sqrt(np.sum(error * solved, axis=-1)))


@dataclass(frozen=True)
class Ellipse(Region):
    """All places whose `scaled_distance` from `centre` is at most `reach`. Args: shape: S, (axes, axes), mm2."""

    kind: ClassVar[str] = "ellipse"
    size_name: ClassVar[str] = "radius"
    of_places: ClassVar[bool] = True
    centre: tuple[float, ...]
    shape: Matrix
    reach: float

    def contains(self, truth: tuple[float, ...]) -> bool:
        return scaled_distance(np.array(self.centre), np.array(truth), np.array(self.shape)) <= self.reach

    @property
    def radius(self) -> float:
        return self.reach * float(np.linalg.det(np.array(self.shape))) ** (1 / (2 * len(self.centre)))

    def to_json(self) -> dict[str, Any]:
        """Semi-axes from the longest on, and the unit vector of each."""
        matrix = np.array(self.shape)
        lengths, directions = np.linalg.eigh(matrix)
        axes = directions.T[::-1]
        axes = axes * np.where(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)] < 0, -1, 1)[:, None]  # a sign is a choice
        return {
            "kind": self.kind,
            "semi_axes": (self.reach * np.sqrt(lengths[::-1])).tolist(),
            "directions": axes.tolist(),
            SIZES[len(axes)]: size_of(self.reach, len(axes), matrix),
        }
