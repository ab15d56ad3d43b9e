"""From records to the region of each landmark in a result, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai.transforms import Transform

from ..gate.gate import Verdict
from ..point_statement import point_statement
from .identity import identity_of_points
from .point_case import point_case_of
from .point_record import read_point_records
from .point_settings import SHAPES
from .quantile import miss_rate
from .seen import read_seen, withheld_as_seen
from .valid_record import Withheld, best_fit, mismatch, out_of_range, too_few

KEYS = {"marginal": "region", "simultaneous": "simultaneous_region"}
"""Of a point's entry, by the promise of what stands there."""


@dataclass(frozen=True)
class Told:
    """What a record says of a study.

    Args:
        regions: one a landmark; empty for none.
        verdict: of the record's gate. withheld: why there are no regions; both None where there is nothing to say.
    """

    regions: list[dict[str, Any]]
    verdict: Verdict | None = None
    withheld: Withheld | None = None


class ApplyPointRecordsd(Transform):
    """Give each landmark of a study its regions, where records of these weights and settings say so.

    Reads and changes `result`: of each entry of `points` its `region` (each landmark for itself), `simultaneous_region` (for all
    landmarks at once) and `statement`, which speaks of the first; `gate`; and `flags` for regions that are withheld:
    UNITS_SEEN_IN_TRAINING, RECORD_MISMATCH, OUT_OF_RANGE, TOO_FEW_UNITS. Positions and draws stay as they are. A landmark that
    the image does not show has no region. Where there is no record, nothing changes.

    Args:
        records: file of a record, or folder of them; several may lie there, of different samplers, shapes and promises.
        level: of the regions, such as 0.9.
        bundle: weights_sha256 and preprocessing_sha256.
        shape: "disc" or "ellipse": whose records are looked at.
        bundle_root: folder of the bundle, which may know the images that its networks have seen, see `seen`.

    Raises:
        StudyRefused: RECORD_EDITED, RECORD_AMBIGUOUS, when made.
        ValueError: a level outside (0, 1), or another shape.
    """

    def __init__(
        self, records: str | Path, level: float, bundle: Mapping[str, Any], shape: str, bundle_root: str | Path | None = None
    ) -> None:
        miss_rate(level)
        if shape not in SHAPES:
            raise ValueError(f"the shape of a region is one of {', '.join(SHAPES)}, got {shape}")
        self.records = [record for record in read_point_records(Path(records)) if record.shape.kind == shape]
        self.level = level
        self.bundle = dict(bundle)
        self.seen = {} if bundle_root is None else read_seen(Path(bundle_root))

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Args: data: with `result`, a dictionary. Returns: the same with another `result`."""
        result = data["result"]
        if result["status"] != "OK" or not result["points"]:
            return dict(data)
        seen = withheld_as_seen(data, self.seen)
        told = {promise: self._tell(result, promise, seen) for promise in KEYS}
        verdicts = [one.verdict for one in told.values() if one.verdict is not None]
        worst = min(verdicts, key=lambda verdict: verdict.accepted, default=None)
        changed = {
            "points": [_entry(entry, index, told) for index, entry in enumerate(result["points"])],
            "gate": result["gate"] if worst is None else worst.to_json(),
            "flags": sorted({*result["flags"], *(one.withheld.code for one in told.values() if one.withheld)}),
        }
        return {**data, "result": {**result, **changed}}

    def _tell(self, result: Mapping[str, Any], promise: str, seen: Withheld | None) -> Told:
        own = [record for record in self.records if record.promise == promise]
        record, differing = best_fit(own, identity_of_points(result, self.bundle))
        if record is None:
            return Told([])
        if seen or differing:
            return Told([], None, seen or mismatch(differing))
        verdict = None if record.gate is None else record.gate.judge(result["study_scores"])
        if verdict is not None and not verdict.accepted:
            return Told([], verdict, out_of_range(verdict))
        if not record.is_available(self.level):
            return Told([], verdict, too_few(self.level, record.needed(self.level), record.unit, record.n))
        return Told(record.regions(point_case_of(result), self.level), verdict)


def _entry(entry: Mapping[str, Any], index: int, told: Mapping[str, Told]) -> dict[str, Any]:
    """A landmark's entry with its regions and another sentence."""
    shown = not entry["outside_image"]
    regions = {KEYS[promise]: one.regions[index] if one.regions and shown else None for promise, one in told.items()}
    withheld = told["marginal"].withheld
    sentence = point_statement(
        entry["name"],
        entry["unit"],
        entry["value"],
        entry["draws"]["n"],
        entry["mean_distance_to_mean"],
        entry["outside_image"],
        regions["region"],
        withheld.why if withheld else "",
    )
    return {**entry, **regions, "statement": sentence}
