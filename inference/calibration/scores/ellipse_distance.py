"""The distance of a landmark from its truth in a measure of its own: an ellipse along the directions in which it is uncertain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..case import Case
from ..pooled_covariance import pooled_for
from ..regions.ellipse import Ellipse, Matrix, scaled_distance
from .conformity_score import ConformityScore


@dataclass(frozen=True)
class EllipseDistance(ConformityScore):
    """sqrt((y - y')' S^-1 (y - y')), S as long as the study's own covariance, shrunk to the pooled one, see `shape_matrix`.

    Args:
        share: of the pooled covariance. floor: mm2.
        pooled: by the landmark's name (axes, axes), mm2, of units that are not calibrated on; None until `fitted_to`.
        folder: of pooled covariances, of which that of the predictions' own sampler is taken; no part of a record.
    """

    ends: ClassVar[int] = 1
    kind: ClassVar[str] = Ellipse.kind
    between_networks: ClassVar[bool] = False
    share: float
    floor: float
    pooled: Mapping[str, Matrix] | None = None
    folder: str | None = None

    @property
    def width_from(self) -> str:
        return "the covariance of the draws, shrunk to that of other studies"

    def fitted_to(self, identity: Mapping[str, Any], images: frozenset[str]) -> EllipseDistance:
        """Raises: StudyRefused: see `pooled_for`."""
        if self.pooled is not None:
            return self
        found = pooled_for(Path(str(self.folder)), identity, images)
        return replace(self, pooled=dict(zip(found.names, found.matrices, strict=True)), folder=None)

    def excess(self, case: Case, truth: tuple[float, ...]) -> tuple[float]:
        return (scaled_distance(case.place, np.array(truth), self._shape(case)),)

    def region(self, case: Case, reach: Sequence[float]) -> Ellipse:
        shape = tuple(map(tuple, self._shape(case).tolist()))
        return Ellipse(tuple(case.place.tolist()), shape, reach[0])

    def about(self, case: Case, other: Case, reach: Sequence[float]) -> tuple[float]:
        raise NotImplementedError("an ellipse about one network's place that holds another's is not worked out")

    def to_json(self) -> dict[str, Any]:
        return {key: value for key, value in super().to_json().items() if key != "folder"}

    @classmethod
    def with_parameters(cls, **parameters: Any) -> EllipseDistance:
        pooled = {name: tuple(map(tuple, matrix)) for name, matrix in parameters["pooled"].items()}
        return cls(**{**parameters, "pooled": pooled})

    def _shape(self, case: Case) -> np.ndarray:
        if self.pooled is None:
            raise ValueError("the score is not fitted to predictions yet")
        return shape_matrix(np.array(case.covariance), np.array(self.pooled[case.name]), self.share, self.floor)

    @classmethod
    def example(cls) -> EllipseDistance:
        """See `ConformityScore.example`."""
        return cls(0.5, 0.01, {"a": ((1.0, 0.2), (0.2, 0.5))})


def shape_matrix(draws: np.ndarray, pooled: np.ndarray, share: float, floor: float) -> np.ndarray:
    """Shape of a point's ellipse: S = (1 - share) C + share P + floor I. The covariance of few draws alone is noise.

    Args:
        draws: C, (..., axes, axes), covariance of a point's draws, mm2.
        pooled: P, of the same shape or broadcast, such as the mean of C over training units.
        share: of P, in [0, 1]. floor: mm2, above 0.

    Raises:
        ValueError: a share or a floor outside.
    """
    if not 0 <= share <= 1 or not floor > 0:
        raise ValueError(f"the share lies in [0, 1] and the floor above 0, got {share} and {floor}")
    return (1 - share) * np.asarray(draws, float) + share * np.asarray(pooled, float) + floor * np.eye(np.shape(draws)[-1])
