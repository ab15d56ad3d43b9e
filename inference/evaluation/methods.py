"""Ways to a region that are compared: a record, and what the study states by itself."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from caveat.reasons import StudyRefused

from ..calibration.case import Case
from ..calibration.quantile import spacings
from ..calibration.record import MARGINAL, Record
from ..calibration.regions.class_set import ClassSet
from ..calibration.regions.ellipse import Ellipse
from ..calibration.regions.interval import Interval
from ..calibration.regions.region import Region
from ..calibration.rows import Row
from ..calibration.scores.ellipse_distance import shape_matrix
from ..metrics.interval_coverage import CheckedPart

CALIBRATED = "calibrated"
QUANTILES_OF_DRAWS = "quantiles of the draws, not calibrated"
TOTAL_COVARIANCE = "ellipse of the total covariance, not calibrated"
LIKELIEST = "likeliest classes, not calibrated"
LEAST = 1e-6
"""mm2, so that a landmark without any spread has an ellipse at all: a thousandth of a millimetre."""


@dataclass(frozen=True)
class Method:
    """One way to a region of each component of a study.

    Args:
        record: None for what the study states by itself, which promises nothing: of a number the central quantiles of its draws,
            interpolated linearly; of a class the fewest whose probabilities add up to the level; of a landmark the ellipse that
            would hold a Gaussian of its total covariance at the level.
        name: in tables.
        promise: of a method without a record; of all components at once by Bonferroni.
    """

    record: Record | None = None
    name: str = CALIBRATED
    promise: str = MARGINAL

    @classmethod
    def stated(cls, promise: str = MARGINAL, of_landmarks: bool = False, of_classes: bool = False) -> Method:
        """What the study states by itself."""
        return cls(None, TOTAL_COVARIANCE if of_landmarks else LIKELIEST if of_classes else QUANTILES_OF_DRAWS, promise)

    def regions(self, row: Row, level: float) -> list[Region] | None:
        """A region for each component, also of a landmark that the image does not show: it counts as it did in the record.

        Returns:
            None where something was not found, the record has too few units for the level, or the study lacks a score it needs.
        """
        if not all(case.counted for case in row):
            return None
        if self.record is None:
            return [_stated(case, level, 1 if self.promise == MARGINAL else len(row)) for case in row]
        try:
            return self.record.regions(row, level)
        except StudyRefused:
            return None

    def accepts(self, row: Row) -> bool:
        """Whether the record's gate lets the study have regions."""
        return self.record is None or self.record.gate is None or self.record.gate.judge(row[0].scores).accepted

    def parts(self, rows: Sequence[Row], level: float, part: int = 0) -> list[CheckedPart]:
        """Studies by the quantile that their regions come from; empty without a record.

        Args:
            rows: that have regions. part: which of the record's, see `Record.parts`.
        """
        if self.record is None:
            return []
        checked = Counter(number for number, _ in in_strata(self.record, part, rows))
        return [
            CheckedPart(checked[number], spacings(stratum.n, level, self.record.sides), stratum.n)
            for number, stratum in enumerate(self.record.strata[part])
            if checked[number]
        ]


def in_strata(record: Record, part: int, rows: Sequence[Row]) -> list[tuple[int, Row]]:
    """Number of the stratum, and the row as its promise takes it apart. Raises: StudyRefused: MISSING_STUDY_SCORE."""
    own = [record.parts(row)[part][1] for row in rows]
    return [(record.stratum_of(part, row), row) for row in own]


def choice_seed(record: Record | None) -> int:
    """Seed of the choice of one study a unit: the record's own, so that both sides of the promise choose alike."""
    return int(record.provenance.get("seed", 0)) if record else 0


def _stated(case: Case, level: float, at_once: int) -> Region:
    """See `Method`. Args: at_once: components that share the miss rate."""
    miss = (1 - level) / at_once
    if isinstance(case.value, tuple) and case.covariance is None:
        return ClassSet.likeliest(case.value, 1 - miss)
    if case.covariance is None:
        lower, upper = np.quantile(case.numbers, [miss / 2, (1 + level) / 2 if at_once == 1 else 1 - miss / 2]).tolist()
        return Interval(lower, upper)
    covariance = np.array(case.covariance)
    shape = shape_matrix(covariance, np.zeros_like(covariance), 0.0, LEAST)
    reach = math.sqrt(chi2.isf(miss, len(covariance)))
    return Ellipse(tuple(case.place.tolist()), tuple(map(tuple, shape.tolist())), reach)
