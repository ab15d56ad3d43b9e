"""Part: the cases of one measurement, one landmark, or all of them at once, and the evidence that they make."""

from __future__ import annotations

from typing import Any

import numpy as np

from caveat.reasons import StudyRefused

from ..calibration.quantile import spacings
from ..calibration.record import Record
from .evidence import FairRecord
from .told import Told


class Part:
    """Each stratum of its record is an urn of its own; their mean is the part's evidence.

    Args:
        name: of what is promised. record: whose promise it is. level: of it. place: of the part in the record's strata.
    """

    def __init__(self, name: str, record: Record, level: float, place: int) -> None:
        self.name, self.record, self.level = name, record, level
        strata = record.strata[place]
        self.groups = [index for index, one in enumerate(strata) if not one.why_not(level, record.sides, record.unit)]
        sizes = [strata[index].n for index in self.groups]
        self.fair = [FairRecord(n, spacings(n, level, record.sides), level) for n in sizes]
        self.cases: list[tuple[int, int, bool]] = []

    def add(self, number: int, told: Told) -> None:
        """One more case. Args: number: of its unit, in order of arrival. Raises: StudyRefused: WRONG_USAGE for another record."""
        if (told.record, told.level) != (self.record, self.level):
            raise StudyRefused("WRONG_USAGE", f"intervals of {self.name} are of several records or levels: audit each by itself")
        self.cases.append((number, self.groups.index(told.place[1]), told.covered))

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
            "approximate": self.record.networks is not None,
            "cases": len(which),
            "covered": sum(which),
            "which": which,
            "evidence": float(evidence[-1]),
            "highest": float(max(1.0, evidence.max())),
        }
