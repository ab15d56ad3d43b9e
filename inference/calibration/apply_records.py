"""From records to the regions in a result, or to the reason why there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monai.transforms import Transform

from caveat.reasons import StudyRefused

from ..gate.gate import Verdict
from .answers import entries_of
from .case import case_of
from .identity import identity_of_target
from .kinds.answer_kind import kind_of
from .quantile import miss_rate
from .record import MARGINAL, SIMULTANEOUS, Record, read_records
from .regions.disc import Disc
from .regions.region import Region
from .rows import Row
from .seen import read_seen, withheld_as_seen
from .valid_record import Withheld, best_fit, mismatch, out_of_range

KEYS = {MARGINAL: "region", SIMULTANEOUS: "simultaneous_region"}
"""Where a region stands in an answer, by the promise."""


@dataclass(frozen=True)
class Told:
    """What a record says of a study's components.

    Args:
        regions: by name, ready for JSON. withheld: why a name has none; a name in neither has nothing said of it.
        verdict: of the record's gate, None where it was not asked. flags: of all this.
    """

    regions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    withheld: Mapping[str, Withheld] = field(default_factory=dict)
    verdict: Verdict | None = None
    flags: frozenset[str] = frozenset()


class ApplyRecordsd(Transform):
    """Give each answer of a study its region, of a measurement an interval, where a record of these weights and settings says
    one.

    Reads and changes `result`: of each of its `answers` the `region`, and what a simultaneous promise adds,
    `simultaneous_region`, and `statement`, which speaks of the first; `gate`; and `flags` for what is withheld:
    UNITS_SEEN_IN_TRAINING, RECORD_MISMATCH, OUT_OF_RANGE, TOO_FEW_UNITS, NOTHING_PROVEN, MISSING_STUDY_SCORE. Values and
    draws stay as they are. Where nothing was found, the image does not show a landmark, or there is no record, there is no
    region.

    Args:
        records: file of a record, or folder of them; several of one target may lie there, of different samplers.
        level: of the regions, such as 0.9.
        bundle: weights_sha256 and preprocessing_sha256.
        guaranteed: whether records of cross-validation give the wider regions whose worst case is 2 level - 1 without a further
            term; what others promise is proven as it is.
        bundle_root: folder of the bundle, which may know the images that its networks have seen, see `seen`.
        shape: "disc" or "ellipse": of landmarks, whose records are looked at.

    Raises:
        StudyRefused: RECORD_EDITED, RECORD_AMBIGUOUS, when made.
        ValueError: a level outside (0, 1), or another shape.
    """

    def __init__(
        self,
        records: str | Path,
        level: float,
        bundle: Mapping[str, Any],
        guaranteed: bool = False,
        bundle_root: str | Path | None = None,
        shape: str = Disc.kind,
    ) -> None:
        miss_rate(level)
        stored = read_records(Path(records), shape)
        self.records = [record.with_guarantee() for record in stored] if guaranteed else stored
        self.level = level
        self.bundle = dict(bundle)
        self.seen = {} if bundle_root is None else read_seen(Path(bundle_root))

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Args: data: with `result`, a dictionary. Returns: the same with another `result`."""
        result = data["result"]
        if result["status"] != "OK":
            return dict(data)
        seen = withheld_as_seen(data, self.seen)
        stated = {answer["name"] for answer in result["answers"]}
        targets = dict.fromkeys((record.names, record.promise) for record in self.records if stated.intersection(record.names))
        told = {target: self._tell(result, *target, seen) for target in targets}
        verdicts = [one.verdict for one in told.values() if one.verdict is not None]
        worst = min(verdicts, key=lambda verdict: verdict.accepted, default=None)
        by_promise = {promise: [one for (_, of), one in told.items() if of == promise] for promise in (MARGINAL, SIMULTANEOUS)}
        answers = [_entry(answer, by_promise) for answer in result["answers"]]
        gate = result["gate"] if worst is None else worst.to_json()
        flags = sorted({*result["flags"], *(flag for one in told.values() for flag in one.flags)})
        return {**data, "result": {**result, "answers": answers, "gate": gate, "flags": flags}}

    def _tell(self, result: Mapping[str, Any], names: Sequence[str], promise: str, seen: Withheld | None) -> Told:
        if missing := set(names) - {answer["name"] for answer in result["answers"]}:
            return _withheld([name for name in names if name not in missing], mismatch(["measurement"]))
        own = [record for record in self.records if (record.names, record.promise) == (names, promise)]
        record, differing = best_fit(own, identity_of_target(result, self.bundle, names))
        entries = entries_of(result, names)
        if record is None or not all(kind_of(entry).answers(entry) for entry in entries):
            return Told()
        if seen or differing:
            return _withheld(names, seen or mismatch(differing))
        verdict = None if record.gate is None else record.gate.judge(result["study_scores"])
        if verdict is not None and not verdict.accepted:
            return _withheld(names, out_of_range(verdict), verdict)
        row = tuple(case_of(entry, result) for entry in entries)
        try:
            if why_not := record.why_not(row, self.level):
                return _withheld(names, why_not, verdict)
            regions = record.regions(row, self.level) or []
        except StudyRefused as refusal:  # a study score that this one study lacks
            unknown = Withheld(refusal.code, f"{refusal.found.replace('_', ' ')} is unknown")
            return _withheld(names, unknown, verdict)
        about = facts_of(record, row, self.level)
        shown = {case.name: _stated(region, about) for case, region in zip(row, regions, strict=True) if case.found}
        return Told(shown, {}, verdict, flags_of(row, regions))


def flags_of(row: Row, regions: Sequence[Region]) -> frozenset[str]:
    """Of regions that are as stated and say little."""
    fills = (case.at_most is not None and region.reaches(case.at_most) for case, region in zip(row, regions, strict=True))
    found = {"EMPTY_INTERVAL": any(region.is_empty for region in regions), "INTERVAL_REACHES_IMAGE_END": any(fills)}
    return frozenset(code for code, holds in found.items() if holds)


def facts_of(record: Record, row: Row, level: float) -> dict[str, Any]:
    """What a result says of the record behind its regions. Args: level: one that the record has for the study."""
    return {
        "promise": record.promise,
        "level": level,
        "record": record.checksum,
        "date": record.provenance.get("date"),
        "truth": record.truth,
        "n": min(stratum.n for stratum in record.strata_of(row)),
        "networks": record.networks,
        "proven": record.proven(row, level),
        "own_coverage": record.own_coverage(row, level),
        "unit": record.unit,
        "score": type(record.score).__name__,
        "width_from": record.width_from,
        "sides": record.sides,
    }


def _stated(region: Region, about: Mapping[str, Any]) -> dict[str, Any]:
    absent = {"lower": None} if about["sides"] == "upper" else {}
    return {**region.to_json(), **absent, **about}


def _withheld(names: Sequence[str], withheld: Withheld, verdict: Verdict | None = None) -> Told:
    return Told({}, dict.fromkeys(names, withheld), verdict, frozenset({withheld.code}))


def _entry(entry: Mapping[str, Any], told: Mapping[str, Sequence[Told]]) -> dict[str, Any]:
    """An answer with its regions and another sentence; as it is where nothing is said of it. Args: told: by promise."""
    name = entry["name"]
    out = dict(entry)
    if not any(name in {**one.regions, **one.withheld} for every in told.values() for one in every):
        return out
    for promise, every in told.items():
        regions = [one.regions[name] for one in every if name in one.regions]
        out[KEYS[promise]] = regions[0] if regions else None
    withheld = next((one.withheld[name].why for one in told[MARGINAL] if name in one.withheld), "")
    return {**out, "statement": kind_of(out).sentence(out, withheld)}
