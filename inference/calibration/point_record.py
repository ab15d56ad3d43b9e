"""PointRecord: how far the regions of a set of landmarks reach, for whom that holds, and what it is worth at a level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..gate.gate import Gate
from .point_case import PointCase
from .quantile import miss_rate, units_needed
from .record_file import file_name_of, read_sealed, refuse_ambiguous, seal, unseal
from .region_shape import RegionShape, shape_from_json
from .regions import region_quantiles
from .whose_truth import truth_of

SCHEMA = "caveat-point-record-1"
PROMISES = ("marginal", "simultaneous")
"""Each landmark's truth lies in its region in so many studies; or those of all landmarks of a study do at once."""


@dataclass(frozen=True)
class PointRecord:
    """Calibration of all landmarks of a bundle, for one shape and one promise.

    Args:
        names: of the landmarks, in the bundle's order.
        unit: what is exchangeable, such as "patient".
        shape: of the regions, with its parameters.
        promise: see `PROMISES`.
        scores: sorted scores of the units: a row for each landmark, or the largest of each unit in one row.
        levels: for which there are enough units.
        gate: limits on study scores; None where every study is accepted. The scores are of the units that it accepts.
        identity: what the record is valid for, see `identity.identity_of_points`.
        provenance: see `calibrate.provenance_of`.
    """

    names: tuple[str, ...]
    unit: str
    shape: RegionShape
    promise: str
    scores: tuple[tuple[float, ...], ...]
    levels: tuple[float, ...]
    gate: Gate | None
    identity: Mapping[str, Any]
    provenance: Mapping[str, Any]

    @property
    def n(self) -> int:
        """Units."""
        return len(self.scores[0])

    @property
    def truth(self) -> str:
        """Whose truth is promised, see `truth_of`."""
        return truth_of(self.provenance)

    @property
    def file_name(self) -> str:
        """See `file_name_of`."""
        return file_name_of(self.identity, f"{self.shape.kind} {self.promise}")

    def needed(self, level: float) -> int:
        """Units that a level needs."""
        return units_needed(miss_rate(level))

    def is_available(self, level: float) -> bool:
        """Whether there are enough units for the level."""
        return self.n >= self.needed(level)

    def reaches(self, level: float) -> list[float]:
        """How far each landmark's region reaches, see `region_quantiles`; infinite where the level is not available."""
        found = region_quantiles(np.transpose(self.scores), miss_rate(level), simultaneous=False)
        return found * len(self.names) if self.promise == "simultaneous" else found

    def radii(self, case: PointCase, level: float) -> np.ndarray:
        """Of the discs as large as the regions: (landmarks,), mm."""
        return self.shape.radii(case, self.reaches(level))

    def regions(self, case: PointCase, level: float) -> list[dict[str, Any]]:
        """The regions of a study's landmarks as they stand in its result. Args: level: one that is available."""
        about = {"promise": self.promise, "level": level, "record": self.checksum, "n": self.n, "unit": self.unit}
        about["truth"] = self.truth
        return [outline | about for outline in self.shape.outlines(case, self.reaches(level))]

    def to_json(self) -> dict[str, Any]:
        """The record as JSON, with its checksum last."""
        return seal(
            {
                "schema": SCHEMA,
                "names": self.names,
                "unit": self.unit,
                "n": self.n,
                "shape": self.shape.to_json(),
                "promise": self.promise,
                "scores": self.scores,
                "levels": self.levels,
                "gate": None if self.gate is None else self.gate.to_json(),
                "identity": dict(self.identity),
                "provenance": dict(self.provenance),
            }
        )

    @property
    def checksum(self) -> str:
        """sha256 of the record: its name in a result."""
        return self.to_json()["checksum"]

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> PointRecord:
        """The inverse of `to_json`. Raises: StudyRefused: RECORD_EDITED; RECORD_MISMATCH for an unknown shape."""
        facts = unseal(stored)
        return cls(
            names=tuple(facts["names"]),
            shape=shape_from_json(facts["shape"]),
            scores=tuple(map(tuple, facts["scores"])),
            levels=tuple(facts["levels"]),
            gate=None if facts["gate"] is None else Gate.from_json(facts["gate"]),
            **{key: facts[key] for key in ("unit", "promise", "identity", "provenance")},
        )


def scores_of(shape: RegionShape, cases: Sequence[PointCase], promise: str) -> tuple[tuple[float, ...], ...]:
    """Sorted scores as a record keeps them. Args: cases: with truths, one per unit, at least one."""
    scores = np.array([shape.scores(case) for case in cases])
    kept = scores.max(axis=1, keepdims=True) if promise == "simultaneous" else scores
    return tuple(map(tuple, np.sort(kept, axis=0).T.tolist()))


def read_point_records(place: Path) -> list[PointRecord]:
    """The records of landmarks in a file or a folder, see `read_records`.

    Raises:
        StudyRefused: RECORD_EDITED, RECORD_AMBIGUOUS.
    """
    records = [PointRecord.from_json(stored) for stored in read_sealed(place, SCHEMA)]
    refuse_ambiguous([((record.shape.kind, record.promise), record.identity) for record in records])
    return records
