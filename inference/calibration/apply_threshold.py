"""What the mean probability calls a class and the record's threshold does not is undecided."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from monai.transforms import Transform

from ...transforms.files.answers import MEASUREMENT
from ...transforms.files.plural import plural
from ..engine.study_grid import element_of_grid
from ..gate.kind_of_image import OTHER_KIND
from ..targets.statement import UNITS_IN_WORDS, number
from .seen import read_seen, withheld_as_seen
from .threshold_record import ThresholdRecord, identity_of_threshold, read_threshold_records
from .valid_record import Withheld, best_fit, mismatch, too_few

UNDECIDED = "undecided"


class ApplyThresholdd(Transform):
    """Give pixels of one class that a threshold record does not vouch for a label of their own, after all classes.

    Reads the study after `ReportOnInputGridd`, with the map `lowest_probability`. Changes `segmentation` and the `classes` of the
    result, and adds a measurement "undecided area": of what the class's own measurement counts, the elements that are
    undecided. Where no record is valid for such a network and such settings nothing changes but the flag: RECORD_MISMATCH,
    TOO_FEW_UNITS, UNITS_SEEN_IN_TRAINING. Nothing changes either where the gate has flagged an image as NOT_THIS_KIND: a
    promise is for images like the record's.

    Args:
        records: file of a threshold record, or folder of records.
        risk: largest expected loss that is to be promised; None leaves everything as it is.
        bundle: weights_sha256 and preprocessing_sha256.
        class_index: number of the class.
        bundle_root: folder of the bundle, which may know the images that its networks have seen, see `seen`.

    Raises:
        StudyRefused: RECORD_EDITED, RECORD_AMBIGUOUS, when made.
    """

    def __init__(
        self,
        records: str | Path,
        risk: float | None,
        bundle: Mapping[str, Any],
        class_index: int,
        bundle_root: str | Path | None = None,
    ) -> None:
        found = read_threshold_records(Path(records)) if risk is not None else []
        self.records = [record for record in found if record.class_index == class_index]
        self.risk = risk
        self.bundle = dict(bundle)
        self.class_index = class_index
        self.seen = {} if bundle_root is None else read_seen(Path(bundle_root))

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Args: data: with `result`, `segmentation` (1, *spatial), `lowest_probability` (1, *spatial), `input`."""
        result = data["result"]
        record, differing = best_fit(self.records, identity_of_threshold(result, self.bundle, self.class_index))
        if record is None or self.risk is None or OTHER_KIND in result["flags"]:
            return dict(data)
        seen = withheld_as_seen(data, self.seen)
        if seen or differing:
            return _flagged(data, seen or mismatch(differing))
        threshold = record.threshold(self.risk)
        if threshold is None:
            return _flagged(data, too_few(1 - self.risk, record.needed(self.risk), "fold", record.folds))
        labels = data["segmentation"].clone()
        undecided = (labels == self.class_index) & ~(torch.as_tensor(data["lowest_probability"]) > threshold)
        labels[undecided] = len(result["classes"])
        entry = _entry(data, record, self.risk, threshold, int(undecided.sum()))
        changed = {"classes": [*result["classes"], UNDECIDED], "answers": [*result["answers"], entry]}
        return {**data, "segmentation": labels, "result": {**result, **changed}}


def _entry(data: Mapping[str, Any], record: ThresholdRecord, risk: float, threshold: float, count: int) -> dict[str, Any]:
    image, label = data["input"], len(data["result"]["classes"])
    element = element_of_grid(image.affine, image.meta, image.ndim - 1)
    value = count * element.size
    shown = f"{number(value, 4)} {UNITS_IN_WORDS.get(element.unit, element.unit)}"
    sentence = (
        f"Undecided: {shown} counted above as {record.class_name}, where a network gives it {threshold:g} or less (without "
        f"it promised, on average over {plural(record.unit)}: {record.loss} at most {100 * risk:g} %, capped at "
        f"{100 * record.bound:g} %; {record.folds} folds, {record.units} {plural(record.unit)})"
    )
    return {
        "kind": MEASUREMENT,
        "name": "undecided area",
        "title": "Undecided",
        "unit": element.unit,
        "value": value,
        "value_on_input_grid": value,
        "draws": {"n": 0, "mean": None, "sd": None, "values": []},  # it is what the draws leave, all together
        "region": None,
        "simultaneous_region": None,
        "classes": [label],
        "threshold": {"value": threshold, "risk": risk, "bound": record.bound, "record": record.checksum},
        "statement": sentence,
    }


def _flagged(data: Mapping[str, Any], withheld: Withheld) -> dict[str, Any]:
    result = data["result"]
    return {**data, "result": {**result, "flags": sorted({*result["flags"], withheld.code})}}
