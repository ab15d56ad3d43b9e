"""Record: what was learned from calibration units, for whom it holds, and what it is worth at a level."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from caveat.reasons import StudyRefused

from ...transforms.plug_ins.classes_in import classes_in
from ..gate.gate import Gate
from .fold_stratum import FoldStratum
from .older_record import OLDER, upgraded
from .record_file import Sealed, file_name_of, read_sealed, refuse_ambiguous, unseal
from .regions.region import Region
from .rows import Row
from .scores.conformity_score import ConformityScore
from .split_stratum import SplitStratum
from .strata import SIZE, stratifying_number
from .valid_record import Withheld
from .whose_truth import truth_of

MARGINAL, SIMULTANEOUS = PROMISES = ("marginal", "simultaneous")
"""Each component's truth lies in its region in so many studies; or those of all components of a study do at once."""
SHAPES = tuple(region.kind for region in classes_in(f"{__package__}.regions", Region) if region.of_places)
"""Kinds of regions of places, of which a result states one; the others are of numbers and of classes."""
SIZES = {region.kind: region.size_name for region in classes_in(f"{__package__}.regions", Region)}
"""What the size of each kind of region is called."""
Stratum = SplitStratum | FoldStratum


@dataclass(frozen=True)
class Record(Sealed):
    """Calibration of the components of one target: a measurement, several at once, or all landmarks of a bundle.

    Args:
        names: of the components, in the bundle's order.
        measured_in: their unit, such as "mL".
        unit: what is exchangeable, such as "subject".
        score: the conformity score with its parameters.
        sides: see `quantile.ONE_SIDED_SCORES`.
        promise: see `PROMISES`.
        strata: for each component, or once for all where the promise is simultaneous, its scores: one stratum where the record is
            not divided, else several, ascending. Of units that no network has seen, or (a record of cross-validation, then all
            are) by the network that has not seen them.
        stratified_by: `strata.SIZE`, or the study score that divides them.
        levels: at which it was asked for; a stratum that has too few units for one gives no region at it.
        gate: limits on study scores; None where every study is accepted. The strata hold the units that it accepts.
        identity: what the record is valid for, see `identity.identity_of`.
        provenance: list, its sha256, part, how studies were chosen, what was left out, hashes of the units (`made_of`).
    """

    schema: ClassVar[str] = "caveat-record-2"
    names: tuple[str, ...]
    measured_in: str
    unit: str
    score: ConformityScore
    sides: str
    promise: str
    strata: tuple[tuple[Stratum, ...], ...]
    levels: tuple[float, ...]
    gate: Gate | None
    identity: Mapping[str, Any]
    provenance: Mapping[str, Any]
    stratified_by: str = SIZE

    @property
    def title(self) -> str:
        """How tables call its target."""
        return self.names[0] if len(self.names) == 1 else f"{self.names[0]} and {len(self.names) - 1} more"

    @property
    def n(self) -> int:
        """Units in all strata."""
        return sum(stratum.n for stratum in self.strata[0])

    @property
    def empty_handed(self) -> bool:
        """Whether a stratum has too few units for one of the levels."""
        every = [stratum for of_part in self.strata for stratum in of_part]
        return any(one.why_not(level, self.sides, self.unit) for one in every for level in self.levels)

    @property
    def truth(self) -> str:
        """Whose truth is promised, see `truth_of`."""
        return truth_of(self.provenance)

    @property
    def file_name(self) -> str:
        """See `file_name_of`."""
        what = [self.names[0]] if len(self.names) == 1 else []
        if self.score.kind != "interval" or self.promise == SIMULTANEOUS:
            what += [self.score.kind, self.promise]
        return file_name_of(self.identity, " ".join(what))

    @property
    def networks(self) -> int | None:
        """K of a record of cross-validation, else None."""
        first = self.strata[0][0]
        return first.networks if isinstance(first, FoldStratum) else None

    @property
    def width_from(self) -> str:
        """What makes one study's region wider than another's, in words that follow "its width comes from"."""
        if self.networks is None:
            return f"{self.score.width_from} alone"
        return f"{self.score.width_from}, and how far its {self.networks} networks disagree about this study"

    def parts(self, row: Row) -> list[tuple[int, Row]]:
        """The row as its promise takes it apart: for each component by itself, or for all at once, its place in `strata`."""
        return [(0, row)] if self.promise == SIMULTANEOUS else [(index, (case,)) for index, case in enumerate(row)]

    def stratum_of(self, part: int, row: Row) -> int:
        """Number of the stratum of a part of a study, by what was predicted: the truth is not known.

        Raises:
            StudyRefused: MISSING_STUDY_SCORE.
        """
        if len(self.strata[part]) == 1:
            return 0
        number = stratifying_number(row[0], self.stratified_by)
        return next(index for index, stratum in enumerate(self.strata[part]) if number <= stratum.up_to)

    def strata_of(self, row: Row) -> list[Stratum]:
        """The stratum of each part of a study. Raises: StudyRefused: MISSING_STUDY_SCORE."""
        return [self.strata[part][self.stratum_of(part, own)] for part, own in self.parts(row)]

    def why_not(self, row: Row, level: float) -> Withheld | None:
        """Why the record cannot serve a level for such a study, None where it can. Raises: as `strata_of`."""
        reasons = [stratum.why_not(level, self.sides, self.unit) for stratum in self.strata_of(row)]
        return next((reason for reason in reasons if reason), None)

    def proven(self, row: Row, level: float) -> float:
        """Coverage that is proven at worst of the study's regions; 0 where the level is not available."""
        return min(stratum.proven(level, self.sides) for stratum in self.strata_of(row))

    def own_coverage(self, row: Row, level: float) -> list[float] | None:
        """Shares of further units between which the coverage of nine in ten such records lies; None where that is not known.

        Of several parts it is of the one with the fewest units.
        """
        stratum = min(self.strata_of(row), key=lambda one: one.n)
        shares = stratum.own_coverage(level) if isinstance(stratum, SplitStratum) else None
        return shares and list(shares)

    def regions(self, row: Row, level: float) -> list[Region] | None:
        """A region for each component of a study; None where the level is not available for one of them.

        Raises:
            StudyRefused: MISSING_STUDY_SCORE.
        """
        found: list[Region] = []
        for (_, own), stratum in zip(self.parts(row), self.strata_of(row), strict=True):
            regions = stratum.regions(self.score, own, level, self.sides)
            if regions is None:
                return None
            found += [one if case.at_most is None else one.within(case.at_most) for one, case in zip(regions, own, strict=True)]
        return found

    def with_guarantee(self) -> Record:
        """The same record at the rank whose worst case has no further term, see `FoldStratum`."""
        return replace(self, strata=tuple(tuple(one.with_guarantee() for one in of_part) for of_part in self.strata))

    def facts(self) -> dict[str, Any]:
        return {
            "names": list(self.names),
            "measured_in": self.measured_in,
            "unit": self.unit,
            "n": self.n,
            "score": self.score.to_json(),
            "sides": self.sides,
            "promise": self.promise,
            "strata": [[stratum.to_json() for stratum in of_part] for of_part in self.strata],
            "stratified_by": self.stratified_by,
            "levels": list(self.levels),
            "gate": None if self.gate is None else self.gate.to_json(),
            "identity": dict(self.identity),
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Record:
        """The inverse of `to_json`, also of older records. Raises: StudyRefused: RECORD_EDITED; RECORD_MISMATCH for an unknown
        score."""
        facts = upgraded(stored) if stored["schema"] in OLDER else unseal(stored)
        kept = ("measured_in", "unit", "sides", "promise", "stratified_by", "identity", "provenance")
        return cls(
            names=tuple(facts["names"]),
            score=ConformityScore.from_json(facts["score"]),
            strata=tuple(tuple(map(_stratum_from_json, of_part)) for of_part in facts["strata"]),
            levels=tuple(facts["levels"]),
            gate=None if facts["gate"] is None else Gate.from_json(facts["gate"]),
            **{key: facts[key] for key in kept},
        )


def _stratum_from_json(stored: Mapping[str, Any]) -> Stratum:
    up_to = math.inf if stored["up_to"] is None else stored["up_to"]
    by_fold = "folds" in stored
    scores = {name: tuple(values) for name, values in stored["unit_scores" if by_fold else "scores"].items()}
    if not by_fold:
        return SplitStratum(up_to, scores)
    return FoldStratum(up_to, tuple(stored["folds"]), scores, stored["networks"], stored["one_recipe"])


def _record_of(stored: Mapping[str, Any]) -> Record:
    """Whoever writes a file can write its checksum too. Raises: StudyRefused: also RECORD_EDITED where it states no record."""
    try:
        return Record.from_json(stored)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        raise StudyRefused("RECORD_EDITED", "what it states is no record") from None


def read_records(place: Path, shape: str | None = None) -> list[Record]:
    """The records of a file, or of the files of a folder; other JSON files there are left aside. Nothing there: no records.

    Args:
        shape: of `SHAPES`, of landmarks whose records are looked at; None for all.

    Raises:
        StudyRefused: RECORD_EDITED; RECORD_AMBIGUOUS where two are valid for the same, so that a name would choose the region.
        ValueError: another shape.
    """
    if shape not in (None, *SHAPES):
        raise ValueError(f"the shape of a region is one of {', '.join(SHAPES)}, got {shape}")
    records = [_record_of(stored) for stored in read_sealed(place, Record.schema, *OLDER)]
    refuse_ambiguous([((record.names, record.promise, record.score.kind), record.identity) for record in records])
    others = {*SHAPES} - {shape} if shape else set()
    return [record for record in records if record.score.kind not in others]
