"""Record: what was learned from calibration units, for whom it holds, and what it is worth at a level."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..gate.gate import Gate
from .case import Case
from .quantile import miss_rate, quantile, units_needed
from .record_file import file_name_of, read_sealed, refuse_ambiguous, seal, unseal
from .scores.conformity_score import ConformityScore

SCHEMA = "caveat-record-1"


@dataclass(frozen=True)
class SizeClass:
    """Sorted scores of the units whose predicted value is at most `up_to` (and above the class before).

    Args:
        up_to: in the measurement's unit, infinite for the last class.
        scores: "either" for two-sided intervals; else "below", "above", or both.
    """

    up_to: float
    scores: Mapping[str, tuple[float, ...]]

    @property
    def n(self) -> int:
        """Units."""
        return len(next(iter(self.scores.values())))

    @classmethod
    def of(cls, up_to: float, excesses: Iterable[tuple[float, float]], sides: str) -> SizeClass:
        """Args: excesses: (below, above) of each unit. sides: see `quantile.ONE_SIDED_SCORES`."""
        below, above = zip(*excesses, strict=True)
        kinds = {
            "two-sided": {"either": map(max, below, above)},
            "asymmetric": {"below": below, "above": above},
            "lower": {"below": below},
            "upper": {"above": above},
        }
        return cls(up_to, {name: tuple(sorted(values)) for name, values in kinds[sides].items()})

    def quantiles(self, level: float, sides: str) -> tuple[float, float]:
        """Largest excess below, and above, that the interval holds. Infinite on a side that has no end, or has too few units."""
        miss = miss_rate(level)
        if sides == "two-sided":
            either = quantile(self.scores["either"], miss)
            return either, either
        share = miss / len(self.scores)
        q_below, q_above = (
            quantile(self.scores[name], share) if name in self.scores else math.inf for name in ("below", "above")
        )
        return q_below, q_above


@dataclass(frozen=True)
class Record:
    """Calibration of one measurement.

    Args:
        measurement: its name. measured_in: its unit, such as "mL".
        unit: what is exchangeable, such as "subject".
        score: the conformity score with its parameters.
        sides: see `quantile.ONE_SIDED_SCORES`.
        classes: by predicted size, ascending; one where the record is not divided.
        levels: at which every class has enough units.
        gate: limits on study scores; None where every study is accepted. The classes hold the units that it accepts.
        identity: what the record is valid for, see `identity.identity_of`.
        provenance: list, its sha256, part, how studies were chosen, what was left out, hashes of the units (`made_of`).
    """

    measurement: str
    measured_in: str
    unit: str
    score: ConformityScore
    sides: str
    classes: tuple[SizeClass, ...]
    levels: tuple[float, ...]
    gate: Gate | None
    identity: Mapping[str, Any]
    provenance: Mapping[str, Any]

    @property
    def n(self) -> int:
        """Units in all classes."""
        return sum(size_class.n for size_class in self.classes)

    @property
    def merged_classes(self) -> bool:
        """Whether there are fewer size classes than the settings asked for."""
        return len(self.classes) <= len(self.provenance.get("size_classes_asked_for", ()))

    @property
    def file_name(self) -> str:
        """See `file_name_of`."""
        return file_name_of(self.identity, self.measurement)

    def class_of(self, case: Case) -> SizeClass:
        """The class of a study, by what was predicted: the true size is not known."""
        return next(size_class for size_class in self.classes if case.value <= size_class.up_to)

    def is_available(self, case: Case, level: float) -> bool:
        """Whether the case's class has enough units for the level."""
        return self.class_of(case).n >= self.needed(level)

    def needed(self, level: float) -> int:
        """Units that a class needs at a level."""
        return units_needed(miss_rate(level), self.sides)

    def interval(self, case: Case, level: float) -> tuple[float, float] | None:
        """Lower and upper end, infinite where the record has no such side; None where the level is not available."""
        if not self.is_available(case, level):
            return None
        return self.score.bounds(case, *self.class_of(case).quantiles(level, self.sides))

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
            "classes": [
                {
                    "up_to": size_class.up_to if math.isfinite(size_class.up_to) else None,
                    "n": size_class.n,
                    "scores": {name: list(scores) for name, scores in size_class.scores.items()},
                }
                for size_class in self.classes
            ],
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
        classes = tuple(
            SizeClass(
                math.inf if entry["up_to"] is None else entry["up_to"],
                {name: tuple(scores) for name, scores in entry["scores"].items()},
            )
            for entry in facts["classes"]
        )
        return cls(
            score=ConformityScore.from_json(facts["score"]),
            classes=classes,
            levels=tuple(facts["levels"]),
            gate=None if facts["gate"] is None else Gate.from_json(facts["gate"]),
            **{key: facts[key] for key in ("measurement", "measured_in", "unit", "sides", "identity", "provenance")},
        )


def read_records(place: Path) -> list[Record]:
    """The records of a file, or of the files of a folder; other JSON files there are left aside. Nothing there: no records.

    Raises:
        StudyRefused: RECORD_EDITED; RECORD_AMBIGUOUS where two are valid for the same, so that a name would choose the interval.
    """
    records = [Record.from_json(stored) for stored in read_sealed(place, SCHEMA)]
    refuse_ambiguous([(record.measurement, record.identity) for record in records])
    return records
