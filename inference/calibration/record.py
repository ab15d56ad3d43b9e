"""Record: what was learned from calibration units, for whom it holds, and what it is worth at a level."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..gate.gate import Gate
from .case import Case
from .fold_class import FoldClass
from .record_file import file_name_of, read_sealed, refuse_ambiguous, seal, unseal
from .scores.conformity_score import ConformityScore
from .size_class import SizeClass
from .valid_record import Withheld
from .whose_truth import truth_of

SCHEMA = "caveat-record-1"


@dataclass(frozen=True)
class Record:
    """Calibration of one measurement.

    Args:
        measurement: its name. measured_in: its unit, such as "mL".
        unit: what is exchangeable, such as "subject".
        score: the conformity score with its parameters.
        sides: see `quantile.ONE_SIDED_SCORES`.
        classes: by predicted size, ascending; one where the record is not divided. Of units that no network has seen, or (a
            record of cross-validation, then all are) by the network that has not seen them.
        levels: at which it was asked for; a class that has too few units for one gives no interval at it.
        gate: limits on study scores; None where every study is accepted. The classes hold the units that it accepts.
        identity: what the record is valid for, see `identity.identity_of`.
        provenance: list, its sha256, part, how studies were chosen, what was left out, hashes of the units (`made_of`).
    """

    measurement: str
    measured_in: str
    unit: str
    score: ConformityScore
    sides: str
    classes: tuple[SizeClass | FoldClass, ...]
    levels: tuple[float, ...]
    gate: Gate | None
    identity: Mapping[str, Any]
    provenance: Mapping[str, Any]

    @property
    def n(self) -> int:
        """Units in all classes."""
        return sum(size_class.n for size_class in self.classes)

    @property
    def empty_handed(self) -> bool:
        """Whether a size class has too few units for one of the levels."""
        return any(one.why_not(level, self.sides, self.unit) for one in self.classes for level in self.levels)

    @property
    def truth(self) -> str:
        """Whose truth is promised, see `truth_of`."""
        return truth_of(self.provenance)

    @property
    def file_name(self) -> str:
        """See `file_name_of`."""
        return file_name_of(self.identity, self.measurement)

    @property
    def networks(self) -> int | None:
        """K of a record of cross-validation, else None."""
        first = self.classes[0]
        return first.networks if isinstance(first, FoldClass) else None

    def class_of(self, case: Case) -> SizeClass | FoldClass:
        """The class of a study, by what was predicted: the true size is not known."""
        return next(size_class for size_class in self.classes if case.value <= size_class.up_to)

    def why_not(self, case: Case, level: float) -> Withheld | None:
        """Why the record cannot serve a level for such a case, None where it can."""
        return self.class_of(case).why_not(level, self.sides, self.unit)

    def proven(self, case: Case, level: float) -> float:
        """Coverage that is proven at worst of the case's interval; 0 where the level is not available."""
        return self.class_of(case).proven(level, self.sides)

    def interval(self, case: Case, level: float) -> tuple[float, float] | None:
        """Lower and upper end, infinite where the record has no such side; None where the level is not available."""
        return self.class_of(case).interval(self.score, case, level, self.sides)

    def with_guarantee(self) -> Record:
        """The same record at the rank whose worst case has no further term, see `FoldClass`."""
        return replace(self, classes=tuple(size_class.with_guarantee() for size_class in self.classes))

    def to_json(self) -> dict[str, Any]:
        """The record as JSON, with its checksum last."""
        facts = {
            "schema": SCHEMA,
            "measurement": self.measurement,
            "measured_in": self.measured_in,
            "unit": self.unit,
            "n": self.n,
            "score": self.score.to_json(),
            "sides": self.sides,
            "classes": [size_class.to_json() for size_class in self.classes],
            "levels": list(self.levels),
            "gate": None if self.gate is None else self.gate.to_json(),
            "identity": dict(self.identity),
            "provenance": dict(self.provenance),
        }
        return seal(facts)

    @property
    def checksum(self) -> str:
        """sha256 of the record: its name in a result."""
        return self.to_json()["checksum"]

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Record:
        """The inverse of `to_json`. Raises: StudyRefused: RECORD_EDITED; RECORD_MISMATCH for an unknown score."""
        facts = unseal(stored)
        return cls(
            score=ConformityScore.from_json(facts["score"]),
            classes=tuple(map(_class_from_json, facts["classes"])),
            levels=tuple(facts["levels"]),
            gate=None if facts["gate"] is None else Gate.from_json(facts["gate"]),
            **{key: facts[key] for key in ("measurement", "measured_in", "unit", "sides", "identity", "provenance")},
        )


def _class_from_json(stored: Mapping[str, Any]) -> SizeClass | FoldClass:
    up_to = math.inf if stored["up_to"] is None else stored["up_to"]
    by_fold = "folds" in stored
    scores = {name: tuple(values) for name, values in stored["unit_scores" if by_fold else "scores"].items()}
    if not by_fold:
        return SizeClass(up_to, scores)
    return FoldClass(up_to, tuple(stored["folds"]), scores, stored["networks"], stored["one_recipe"])


def read_records(place: Path) -> list[Record]:
    """The records of a file, or of the files of a folder; other JSON files there are left aside. Nothing there: no records.

    Raises:
        StudyRefused: RECORD_EDITED; RECORD_AMBIGUOUS where two are valid for the same, so that a name would choose the interval.
    """
    records = [Record.from_json(stored) for stored in read_sealed(place, SCHEMA)]
    refuse_ambiguous([(record.measurement, record.identity) for record in records])
    return records
