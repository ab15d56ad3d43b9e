"""Shapes of a landmark's region: a disc, or an ellipse along the directions in which the landmark is uncertain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from caveat.reasons import StudyRefused

from .point_case import PointCase
from .regions import ellipse_scores, radius_scores, region_size, shape_matrix

SIZES = {2: "area", 3: "volume"}
"""What a region's size is called, by its axes: mm2, mm3."""


class RegionShape(ABC):
    """A truth lies in the region of a reach exactly where its score is at most that reach."""

    kind: ClassVar[str]

    @abstractmethod
    def scores(self, case: PointCase) -> np.ndarray:
        """How far each landmark lies from its truth. Args: case: with truth. Returns: (landmarks,)."""

    @abstractmethod
    def radii(self, case: PointCase, reaches: Sequence[float]) -> np.ndarray:
        """Of the discs (balls) as large as the regions: (landmarks,), mm."""

    @abstractmethod
    def outlines(self, case: PointCase, reaches: Sequence[float]) -> list[dict[str, Any]]:
        """What a result says of each landmark's region, ready for JSON."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """As a record keeps it, its name under "kind"."""


@dataclass(frozen=True)
class Disc(RegionShape):
    """The same radius in every study: the distance itself is the score."""

    kind: ClassVar[str] = "disc"

    def scores(self, case: PointCase) -> np.ndarray:
        return radius_scores(case.positions, case.truth)

    def radii(self, case: PointCase, reaches: Sequence[float]) -> np.ndarray:
        return np.asarray(reaches, float)

    def outlines(self, case: PointCase, reaches: Sequence[float]) -> list[dict[str, Any]]:
        axes = case.positions.shape[1]
        return [{"kind": self.kind, "radius": reach, SIZES[axes]: region_size(reach, axes)} for reach in reaches]

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind}


@dataclass(frozen=True)
class Ellipse(RegionShape):
    """As long as the study's own covariance, shrunk to the pooled one, see `shape_matrix`.

    Args:
        pooled: per landmark (axes, axes), mm2, of units that are not calibrated on.
        share: of the pooled covariance. floor: mm2.
    """

    kind: ClassVar[str] = "ellipse"
    pooled: tuple[tuple[tuple[float, ...], ...], ...]
    share: float
    floor: float

    def matrices(self, case: PointCase) -> np.ndarray:
        """S of each landmark: (landmarks, axes, axes), mm2."""
        return shape_matrix(case.covariances, np.array(self.pooled), self.share, self.floor)

    def scores(self, case: PointCase) -> np.ndarray:
        return ellipse_scores(case.positions, case.truth, self.matrices(case))

    def radii(self, case: PointCase, reaches: Sequence[float]) -> np.ndarray:
        matrices = self.matrices(case)
        return np.asarray(reaches, float) * np.linalg.det(matrices) ** (1 / (2 * matrices.shape[-1]))

    def outlines(self, case: PointCase, reaches: Sequence[float]) -> list[dict[str, Any]]:
        return [self._outline(matrix, reach) for matrix, reach in zip(self.matrices(case), reaches, strict=True)]

    def _outline(self, matrix: np.ndarray, reach: float) -> dict[str, Any]:
        """Semi-axes from the longest on, and the unit vector of each."""
        lengths, directions = np.linalg.eigh(matrix)
        axes = directions.T[::-1]
        axes = axes * np.where(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)] < 0, -1, 1)[:, None]  # a sign is a choice
        return {
            "kind": self.kind,
            "semi_axes": (reach * np.sqrt(lengths[::-1])).tolist(),
            "directions": axes.tolist(),
            SIZES[len(axes)]: region_size(reach, len(axes), matrix),
        }

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "pooled": self.pooled, "share": self.share, "floor": self.floor}


def shape_from_json(stored: Mapping[str, Any]) -> RegionShape:
    """The shape that `to_json` described. Raises: StudyRefused: RECORD_MISMATCH for one that is not known here."""
    if stored["kind"] == Disc.kind:
        return Disc()
    if stored["kind"] == Ellipse.kind:
        pooled = tuple(tuple(map(tuple, matrix)) for matrix in stored["pooled"])
        return Ellipse(pooled, stored["share"], stored["floor"])
    raise StudyRefused("RECORD_MISMATCH", "the record's shape of regions is not known to this version")
