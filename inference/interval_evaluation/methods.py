"""Ways to an interval that are compared: a record, and the raw quantiles of the draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from caveat.reasons import StudyRefused

from ..calibration.case import Case
from ..calibration.quantile import ONE_SIDED_SCORES, miss_rate, rank
from ..calibration.record import Record
from ..metrics.interval_coverage import CheckedPart

CALIBRATED = "calibrated"
QUANTILES_OF_DRAWS = "quantiles of the draws, not calibrated"


@dataclass(frozen=True)
class Method:
    """One way to an interval.

    Args:
        name: in tables.
        record: None for the central quantiles of the draws, interpolated linearly, which promise nothing.
    """

    name: str
    record: Record | None = None

    def ends(self, case: Case, level: float) -> tuple[float, float] | None:
        """Lower and upper end.

        Returns:
            None where nothing was found, the record has too few units for the level, or the study lacks a score it needs.
        """
        if case.value <= 0:
            return None
        if self.record is not None:
            try:
                return self.record.interval(case, level)
            except StudyRefused:
                return None
        lower, upper = np.quantile(case.draws, [(1 - level) / 2, (1 + level) / 2]).tolist()
        return lower, upper

    def accepts(self, case: Case) -> bool:
        """Whether the record's gate lets the study have an interval."""
        return self.record is None or self.record.gate is None or self.record.gate.judge(case.scores).accepted

    def parts(self, cases: Sequence[Case], level: float) -> list[CheckedPart]:
        """Cases by the quantile that their interval comes from; empty without a record. Args: cases: that have an interval."""
        if self.record is None:
            return []
        checked = Counter(self.record.class_of(case).up_to for case in cases)
        return [
            CheckedPart(checked[kind.up_to], spacings(kind.n, level, self.record.sides), kind.n)
            for kind in self.record.classes
            if checked[kind.up_to]
        ]


def spacings(n: int, level: float, sides: str) -> int:
    """How many of the n + 1 spacings between exchangeable scores lie inside an interval.

    The rank of the quantile; of two one-sided scores of the same error with rank r each, 2 r - n - 1.

    Args:
        n: calibration units, enough for the level.

    Raises:
        ValueError: they are too few.
    """
    scores = ONE_SIDED_SCORES[sides]
    index = rank(n, miss_rate(level) / scores)
    if index is None:
        raise ValueError(f"{n} units are too few for {level:.0%}")
    return index if scores == 1 else 2 * index - n - 1
