"""Ways to a region that are compared: a record, and the covariance that the study itself states."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from ..calibration.point_case import PointCase
from ..calibration.point_record import PointRecord
from ..calibration.region_shape import Ellipse, RegionShape

CALIBRATED = "calibrated"
RAW = "ellipse of the total covariance, not calibrated"
LEAST = 1e-6
"""mm2, so that a landmark without any spread has an ellipse at all: a thousandth of a millimetre."""


@dataclass(frozen=True)
class Method:
    """One way to a region.

    Args:
        promise: see `PROMISES`.
        record: None for the ellipse that would hold a Gaussian of the study's own total covariance at the level; of all landmarks
            at once by Bonferroni. Nothing promises that the errors are such.
    """

    promise: str
    record: PointRecord | None = None

    @property
    def name(self) -> str:
        """In tables."""
        return RAW if self.record is None else CALIBRATED

    def accepts(self, case: PointCase) -> bool:
        """Whether the record's gate lets the study have regions."""
        return self.record is None or self.record.gate is None or self.record.gate.judge(case.scores).accepted

    def serves(self, level: float) -> bool:
        """Whether the record has enough units for the level."""
        return self.record is None or self.record.is_available(level)

    def inside(self, cases: Sequence[PointCase], level: float) -> np.ndarray:
        """Which truths lie inside: bool (cases, landmarks). Those of landmarks that the image does not show are counted by the
        region they would have, as in the record."""
        return np.array([self._shape(case).scores(case) <= self._reaches(case, level) for case in cases])

    def radii(self, cases: Sequence[PointCase], level: float) -> np.ndarray:
        """Of the discs as large as the regions: (cases, landmarks), mm."""
        return np.array([self._shape(case).radii(case, self._reaches(case, level)) for case in cases])

    def _shape(self, case: PointCase) -> RegionShape:
        if self.record is not None:
            return self.record.shape
        return Ellipse(tuple(tuple(map(tuple, matrix)) for matrix in np.zeros_like(case.covariances).tolist()), 0.0, LEAST)

    def _reaches(self, case: PointCase, level: float) -> list[float]:
        if self.record is not None:
            return self.record.reaches(level)
        landmarks, axes = case.positions.shape
        miss = (1 - level) / (landmarks if self.promise == "simultaneous" else 1)
        return [math.sqrt(chi2.isf(miss, axes))] * landmarks
