"""From a record to the interval in a result, or to the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai.transforms import Transform

from caveat.reasons import StudyRefused

from ..gate.gate import Verdict
from ..statement import statement
from .case import Case, case_of
from .identity import identity_of
from .quantile import miss_rate
from .record import Record, read_records
from .seen import read_seen, withheld_as_seen
from .valid_record import Withheld, best_fit, mismatch, out_of_range


class ApplyRecordsd(Transform):
    """Give each measurement of a study its interval, where a record of these weights and settings says one.

    Reads and changes `result`: `interval` and `statement` of each measurement, `gate`, and `flags` for an interval that is
    withheld: UNITS_SEEN_IN_TRAINING, RECORD_MISMATCH, OUT_OF_RANGE, TOO_FEW_UNITS, NOTHING_PROVEN, MISSING_STUDY_SCORE. The
    value and the draws stay as they are. Where nothing was found, or there is no record, nothing changes.

    Args:
        records: file of a record, or folder of them; several per measurement may lie there, of different samplers.
        level: of the interval, such as 0.9.
        bundle: weights_sha256 and preprocessing_sha256.
        guaranteed: whether records of cross-validation give the wider intervals whose worst case is 2 level - 1 without a further
            term; what others promise is proven as it is.
        bundle_root: folder of the bundle, which may know the images that its networks have seen, see `seen`.

    Raises:
        StudyRefused: RECORD_EDITED, RECORD_AMBIGUOUS, when made.
        ValueError: a level outside (0, 1).
    """

    def __init__(
        self,
        records: str | Path,
        level: float,
        bundle: Mapping[str, Any],
        guaranteed: bool = False,
        bundle_root: str | Path | None = None,
    ) -> None:
        miss_rate(level)
        stored = read_records(Path(records))
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
        told = [self._tell(result, entry, seen) for entry in result["measurements"]]
        verdicts = [verdict for _, verdict, _ in told if verdict is not None]
        worst = min(verdicts, key=lambda verdict: verdict.accepted, default=None)
        changed = {
            "measurements": [entry for entry, _, _ in told],
            "gate": result["gate"] if worst is None else worst.to_json(),
            "flags": sorted({*result["flags"], *(flag for _, _, flag in told if flag)}),
        }
        return {**data, "result": {**result, **changed}}

    def _tell(
        self, result: Mapping[str, Any], entry: Mapping[str, Any], seen: Withheld | None
    ) -> tuple[dict[str, Any], Verdict | None, str]:
        """Returns: the measurement's entry, what the gate said, and a flag or ""."""
        own = [record for record in self.records if record.measurement == entry["name"]]
        record, differing = best_fit(own, identity_of(result, self.bundle, entry))
        if record is None or entry["value"] == 0:
            return dict(entry), None, ""
        if seen or differing:
            return _withheld(entry, seen or mismatch(differing), None)
        verdict = None if record.gate is None else record.gate.judge(result["study_scores"])
        if verdict is not None and not verdict.accepted:
            return _withheld(entry, out_of_range(verdict), verdict)
        case = case_of(entry, result)
        if why_not := record.why_not(case, self.level):
            return _withheld(entry, why_not, verdict)
        try:
            interval, flag = interval_of(record, case, self.level)
        except StudyRefused as refusal:  # a study score that this one study lacks
            missing = Withheld(refusal.code, f"{refusal.found.replace('_', ' ')} is unknown")
            return _withheld(entry, missing, verdict)
        return _stated(entry, interval=interval) | {"interval": interval}, verdict, flag


def interval_of(record: Record, case: Case, level: float) -> tuple[dict[str, Any], str]:
    """The entry `interval` of a measurement at a level that the record has, and a flag or "".

    Raises:
        StudyRefused: MISSING_STUDY_SCORE.
    """
    lower, upper = record.interval(case, level)
    return {
        "level": level,
        "lower": None if record.sides == "upper" else lower,
        "upper": upper if math.isfinite(upper) else None,
        "record": record.checksum,
        "truth": record.truth,
        "n": record.class_of(case).n,
        "networks": record.networks,
        "proven": record.proven(case, level),
        "unit": record.unit,
        "score": type(record.score).__name__,
        "sides": record.sides,
    }, ("EMPTY_INTERVAL" if lower >= upper else "")


def _withheld(
    entry: Mapping[str, Any], withheld: Withheld, verdict: Verdict | None
) -> tuple[dict[str, Any], Verdict | None, str]:
    return _stated(entry, withheld=withheld.why), verdict, withheld.code


def _stated(entry: Mapping[str, Any], **said: Any) -> dict[str, Any]:
    """The entry with another sentence."""
    sentence = statement(entry["title"], entry["unit"], entry["value"], entry["draws"]["values"], **said)
    return {**entry, "statement": sentence}
