"""What differs between measurements and landmarks under stress: what an error is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from statistics import fmean
from typing import Any

import numpy as np

from ..calibration.read_cases import Stated
from ..calibration.record import Record
from ..calibration.rows import Row
from ..calibration.sides import truth_of_case
from ..metrics.extent_error import extent_error
from ..metrics.overlap import dice
from ..metrics.radial_error import detection_rate, radial_errors
from ..stored.list_part import Truths
from ..stored.point_truths import PointTruths
from ..stored.stored_study import StoredStudy
from ..stored.truths import Truth
from ..targets.class_label import ClassLabel
from ..targets.landmark import Landmark
from ..targets.target import Target

WITHIN_MM = 2.5
"""Of the detection rate: the one that the work of which the experiments on landmarks are reports."""
Drawings = tuple[StoredStudy, Truth]
"""A study as predicted, and a rater's reading of it."""


class OneMeasurement:
    """The error is a share of the truth, with sign; not known where that is 0."""

    def __init__(self, measurement: Target) -> None:
        self.classes = measurement.classes
        self.name = measurement.name
        self.names = (measurement.name,)

    def errors(self, row: Row, drawings: Drawings | None) -> dict[str, Any]:
        """`error`, and what else tells truth from prediction. Args: row: with truths. drawings: None where there are none."""
        value, truth, overlap = row[0].number, truth_of_case(row[0]), None
        if drawings is not None:
            found, true = (reduce(np.logical_or, map(one.mask_of, self.classes)) for one in drawings)
            overlap = dice(found, true, drawings[1].region)
        return {"value": value, "truth": truth, "dice": overlap, "error": extent_error(value, truth)["signed"] if truth else None}


class SeveralMeasurements:
    """What is promised of them at once. The error is the mean size of theirs, not known where one is not. Else as
    `OneMeasurement`."""

    def __init__(self, measurements: Sequence[Target]) -> None:
        self.names = tuple(measurement.name for measurement in measurements)
        self.name = " and ".join(self.names)
        self._each = [OneMeasurement(measurement) for measurement in measurements]

    def errors(self, row: Row, drawings: Drawings | None) -> dict[str, Any]:
        found = [one.errors((case,), None)["error"] for one, case in zip(self._each, row, strict=True)]
        return {"error": None if None in found else fmean(map(abs, found))}


class Landmarks:
    """The error is the mean radial error, mm. Else as `OneMeasurement`."""

    def __init__(self, names: Sequence[str], name: str = "landmarks") -> None:
        self.names = tuple(names)
        self.name = name

    def errors(self, row: Row, drawings: Drawings | None) -> dict[str, Any]:
        errors = radial_errors(np.array([case.value for case in row]), np.array([case.truth for case in row]))
        return {"error": float(errors.mean()), "within": detection_rate(errors, WITHIN_MM)}


class OneClass:
    """The error is 1 where the likeliest class is wrong, else 0. Else as `OneMeasurement`."""

    def __init__(self, label: ClassLabel) -> None:
        self.name = label.name
        self.names = (label.name,)

    def errors(self, row: Row, drawings: Drawings | None) -> dict[str, Any]:
        return {"error": float(np.argmax(row[0].value) != truth_of_case(row[0]))}


Scored = OneMeasurement | SeveralMeasurements | Landmarks | OneClass
"""What errors are counted of, a row a study: its name, the names of its components."""


def scored_of(targets: Sequence[Stated], records: Sequence[Record] = ()) -> list[Scored]:
    """A measurement each, all landmarks together, a class each, and whatever else is promised at once.

    Args:
        targets: of a bundle. records: that may speak of several.
    """
    places = [target.name for target in targets if isinstance(target, Landmark)]
    numbers = {target.name: target for target in targets if isinstance(target, Target)}
    alone: list[Scored] = [*map(OneMeasurement, numbers.values()), *([Landmarks(places)] if places else [])]
    alone += [OneClass(target) for target in targets if isinstance(target, ClassLabel)]
    known = {scored.names for scored in alone}
    for names in dict.fromkeys(record.names for record in records if record.names not in known):
        if numbers.keys() >= set(names):
            alone.append(SeveralMeasurements([numbers[name] for name in names]))
        elif set(places) >= set(names):
            alone.append(Landmarks(names, " and ".join(names)))
    return alone


def truths_of_sets(truths: Truths) -> Truths:
    """The bundle's truths as degraded images have them: of landmarks the first rater's tables, which lie beside the images."""
    return PointTruths(truths.raters[:1], truths.names) if isinstance(truths, PointTruths) else truths
