"""Part: the cases of one measurement, one landmark, or all landmarks at once, and the evidence that they make."""

from __future__ import annotations

from typing import Any

import numpy as np

from caveat.reasons import StudyRefused

from ..calibration.point_record import PointRecord
from ..interval_evaluation.methods import spacings
from .evidence import FairRecord
from .told import AnyRecord, Told


class Part:
    """Each class of its record is an urn of its own; their mean is the part's evidence.

    Args:
        name: of what is promised. record: whose promise it is. level: of it.
    """

    def __init__(self, name: str, record: AnyRecord, level: float) -> None:
        self.name, self.record, self.level = name, record, level
        if isinstance(record, PointRecord):
            self.fair = [FairRecord(record.n, spacings(record.n, level, "two-sided"), level)]
        else:
            served = [one for one in record.classes if not one.why_not(level, record.sides, record.unit)]
            self.fair = [FairRecord(one.n, spacings(one.n, level, record.sides), level) for one in served]
            self.groups = [record.classes.index(one) for one in served]
        self.cases: list[tuple[int, int, bool]] = []

    def add(self, number: int, told: Told) -> None:
        """One more case. Args: number: of its unit, in order of arrival. Raises: StudyRefused: WRONG_USAGE for another record."""
        if (told.record, told.level) != (self.record, self.level):
            raise StudyRefused("WRONG_USAGE", f"intervals of {self.name} are of several records or levels: audit each by itself")
        group = 0 if isinstance(self.record, PointRecord) else self.groups.index(told.group)
        self.cases.append((number, group, told.covered))

    def evidence(self, units: int) -> np.ndarray:
        """E after each unit, (units,): it stays where a unit has no case, and begins with 1."""
        return np.mean([self._of_group(group, fair, units) for group, fair in enumerate(self.fair)], axis=0)

    def _of_group(self, group: int, fair: FairRecord, units: int) -> np.ndarray:
        own = [(number, covered) for number, of, covered in self.cases if of == group]
        after = np.searchsorted([number for number, _ in own], np.arange(units), side="right")
        return np.concatenate([[1.0], fair.evidence([covered for _, covered in own])])[after]

    def row(self, units: int) -> dict[str, Any]:
        """What a table says of it; `which` of its cases were covered, in order."""
        evidence = self.evidence(units)
        which = [int(covered) for *_, covered in self.cases]
        return {
            "part": self.name,
            "record": self.record.checksum,
            "truth": self.record.truth,
            "level": self.level,
            "n": self.record.n,
            "unit": self.record.unit,
            "approximate": not isinstance(self.record, PointRecord) and self.record.networks is not None,
            "cases": len(which),
            "covered": sum(which),
            "which": which,
            "evidence": float(evidence[-1]),
            "highest": float(max(1.0, evidence.max())),
        }
