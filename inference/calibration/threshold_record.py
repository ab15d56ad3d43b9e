"""ThresholdRecord: how sure every network must be before a pixel is said to be of a class, and what that promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from .identity import identity_of, of_any_unit
from .record_file import Sealed, file_name_of, read_sealed, refuse_ambiguous, unseal
from .risk_control import groups_needed, least_strict


@dataclass(frozen=True)
class ThresholdRecord(Sealed):
    """Losses of out-of-fold networks at every threshold, and the thresholds that keep a risk.

    A pixel is of the class where every draw's probability is above the threshold. With the folds' networks as draws its loss
    is at most that of any one of them, so that the promise of cross-validated risk control holds: over folds like these, the
    expected loss of a new unit is at most the risk. It is one of a unit's mean, not of each image, and of the capped loss.

    Args:
        class_index, class_name: of the class.
        loss: in words, such as "false soft tissue over open beam and bone".
        bound: at which the loss of a unit is capped.
        unit: what is measured, such as "body"; units: how many there are in all folds.
        thresholds: ascending; at the last one nothing is of the class.
        losses: one row a fold, one column a threshold: mean over the fold's units.
        identity: what the record is valid for, see `identity_of_threshold`.
        provenance: lists, their sha256, seeds.
    """

    schema: ClassVar[str] = "caveat-threshold-record-1"
    class_index: int
    class_name: str
    loss: str
    bound: float
    unit: str
    units: int
    thresholds: tuple[float, ...]
    losses: tuple[tuple[float, ...], ...]
    identity: Mapping[str, Any]
    provenance: Mapping[str, Any]
    gate: ClassVar[None] = None
    """Every study is accepted."""

    @property
    def folds(self) -> int:
        """Groups that are exchangeable."""
        return len(self.losses)

    @property
    def file_name(self) -> str:
        """See `file_name_of`."""
        return file_name_of(self.identity, f"{self.class_name} threshold")

    def needed(self, risk: float) -> int:
        """Folds that a risk takes."""
        return groups_needed(risk, self.bound)

    def threshold(self, risk: float) -> float | None:
        """The least strict threshold that keeps a risk; None where no threshold does."""
        index = least_strict(self.losses, risk, self.bound)
        return None if index is None else self.thresholds[index]

    def facts(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ThresholdRecord:
        """The inverse of `to_json`. Raises: StudyRefused: RECORD_EDITED."""
        facts = {key: value for key, value in unseal(stored).items() if key != "schema"}
        facts["thresholds"] = tuple(facts["thresholds"])
        facts["losses"] = tuple(map(tuple, facts["losses"]))
        return cls(**facts)


def identity_of_threshold(result: Mapping[str, Any], bundle: Mapping[str, Any], class_index: int) -> dict[str, Any]:
    """What must be equal between calibration and use; see `identity_of`. A share of pixels is one whatever they measure, and
    where nobody knows it, as of a picture."""
    return of_any_unit(identity_of(result, bundle, {"name": "threshold", "unit": "", "classes": [class_index]}))


def read_threshold_records(place: Path) -> list[ThresholdRecord]:
    """The threshold records of a file, or of the files of a folder. Raises: StudyRefused: RECORD_EDITED, RECORD_AMBIGUOUS."""
    records = [ThresholdRecord.from_json(stored) for stored in read_sealed(place, ThresholdRecord.schema)]
    refuse_ambiguous([(record.class_index, record.identity) for record in records])
    return records
