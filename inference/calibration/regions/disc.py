"""A disc, or a ball, around a landmark."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .region import Region

SIZES = {2: "area", 3: "volume"}
"""What a region's size is called, by its axes: mm2, mm3."""


def distance(centre: np.ndarray, place: np.ndarray) -> float:
    """Between two places, (axes,), in their unit."""
    return float(np.linalg.norm(np.asarray(place, float) - np.asarray(centre, float), axis=-1))


def size_of(reach: float, axes: int, shape: np.ndarray | None = None) -> float:
    """Area (2 axes, mm2) or volume (3, mm3) of a region: pi q^2 sqrt(det S), or 4/3 pi q^3 sqrt(det S).

    Args:
        reach: q. shape: S of an ellipse; None for a disc or ball.
    """
    root = 1.0 if shape is None else math.sqrt(np.linalg.det(shape))
    return math.pi ** (axes / 2) / math.gamma(axes / 2 + 1) * reach**axes * root


@dataclass(frozen=True)
class Disc(Region):
    """All places at most `reach` mm from `centre`, (axes,) in mm."""

    kind: ClassVar[str] = "disc"
    size_name: ClassVar[str] = "radius"
    of_places: ClassVar[bool] = True
    centre: tuple[float, ...]
    reach: float

    def contains(self, truth: tuple[float, ...]) -> bool:
        return distance(np.array(self.centre), np.array(truth)) <= self.reach

    @property
    def radius(self) -> float:
        return self.reach

    def to_json(self) -> dict[str, Any]:
        axes = len(self.centre)
        return {"kind": self.kind, "radius": self.reach, SIZES[axes]: size_of(self.reach, axes)}
