"""Case: one study's prediction of one measurement, and its truth where it is known."""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from caveat.reasons import StudyRefused

from ..evaluate import Truths, left_out_row, read_entries, results_by_sha256
from ..stored_study import StoredStudy
from ..targets.target import Target
from ..true_value import true_value
from ..truths import Truth
from .unit_case import UnitCase

Predicted = Mapping[str, tuple[Path, Mapping[str, Any]]]
"""Study folders and results by the image's sha256."""
Read = TypeVar("Read")
AnyCase = TypeVar("AnyCase", bound=UnitCase)


@dataclass(frozen=True)
class Case:
    """What a conformity score may look at. Numbers are in the measurement's unit.

    Args:
        study: name of its folder. unit: what is exchangeable, such as "subject 012"; "" for a study that is being predicted.
        sha256: of the image.
        value: of the reported mask. draws: value of every draw.
        scores: the study's scores by name; None where one is undefined.
        truth: None where it is not known.
        stratum: what the data list says of the study, such as how far it was degraded; "" where it says nothing.
        fold: number of the network that has not seen the study, from 0, where the data list names one.
        preparation: of the image, such as "with skull"; "" where the bundle tells none apart.
    """

    study: str
    unit: str
    sha256: str
    value: float
    draws: tuple[float, ...]
    scores: Mapping[str, float | None] = field(default_factory=dict)
    truth: float | None = None
    stratum: str = ""
    fold: int | None = None
    preparation: str = ""

    def of_network(self, index: int, networks: int) -> Case:
        """What one of several networks says, by its own draws alone: their mean, and they (see `Sampler.members`)."""
        own = self.draws[index::networks]
        return replace(self, value=statistics.fmean(own), draws=own)


@dataclass(frozen=True)
class Cases:
    """The cases of one part of a data list.

    Args:
        by_measurement: name of the measurement to its cases, all in the order of the list, the same studies for each.
        units: name of the measurement to its unit, such as "mL".
        results: `result.json` of the same studies in the same order.
        left_out: of each entry of the list that has no case, see `left_out_row`.
    """

    by_measurement: dict[str, list[Case]]
    units: dict[str, str]
    results: list[Mapping[str, Any]]
    left_out: list[dict[str, Any]]


def case_of(entry: Mapping[str, Any], result: Mapping[str, Any], **more: Any) -> Case:
    """One measurement of one result. Args: entry: of `measurements`. more: what the result does not say.

    Raises:
        StudyRefused: NON_FINITE_DRAWS.
    """
    numbers = [entry["value"], *entry["draws"]["values"]]
    if any(number is None or not math.isfinite(number) for number in numbers):
        raise StudyRefused("NON_FINITE_DRAWS", f"{sum(n is None or not math.isfinite(n) for n in numbers)} of {len(numbers)}")
    value, *draws = map(float, numbers)
    about = {"scores": result["study_scores"], "preparation": preparation_of(result)}
    return Case(**{"study": "", "unit": "", "sha256": "", **more}, value=value, draws=tuple(draws), **about)


def preparation_of(result: Mapping[str, Any]) -> str:
    """How the image was prepared, "" where the bundle does not look at it."""
    return str(result.get("input", {}).get("preparation", ""))


def read_cases(
    predictions: Path,
    data_list: Path,
    split: str,
    truths: Truths,
    dataset_dir: Path,
    measurements: Sequence[Target],
    nothing_found: bool = False,
) -> Cases:
    """Every predicted study of a split, matched by the image's sha256. Where there are several raters the first one is the truth.

    Args:
        predictions: folder that `caveat predict` wrote.
        data_list: MONAI's form. split: a part of it.
        truths: reads the truth of an entry, with `labels` on the input's grid.
        dataset_dir: what the list's paths are relative to.
        measurements: as the bundle's config lists them.
        nothing_found: whether a study in which nothing was found is a case too, with values of 0.

    Raises:
        StudyRefused: DUPLICATE_PREDICTION, MIXED_PREDICTIONS, WRONG_USAGE; what concerns one study is a row of `left_out`.
    """
    names = [measurement.name for measurement in measurements]
    read, results, left_out = read_each(
        predictions,
        data_list,
        split,
        lambda entry, predicted: read_study_cases(entry, predicted, truths, dataset_dir, measurements, nothing_found),
    )
    return Cases(
        {name: [cases[index] for cases in read] for index, name in enumerate(names)},
        {stated["name"]: stated["unit"] for result in results for stated in result["measurements"]},
        results,
        left_out,
    )


def read_each(
    predictions: Path, data_list: Path, split: str, read: Callable[[Mapping[str, Any], Predicted], Read]
) -> tuple[list[Read], list[Mapping[str, Any]], list[dict[str, Any]]]:
    """Read every entry of a part, and go on where one is refused.

    Args:
        read: an entry, and everything that was predicted, to what is wanted of it.

    Returns:
        what was read, the results of the same studies, both in the order of the list; rows of what was left out.

    Raises:
        StudyRefused: DUPLICATE_PREDICTION, MIXED_PREDICTIONS, WRONG_USAGE.
    """
    entries = read_entries(data_list, split)
    if len({entry["sha256"] for entry in entries}) < len(entries):
        raise StudyRefused("WRONG_USAGE", "the list names an image twice")
    predicted = results_by_sha256(predictions, {entry["sha256"] for entry in entries})
    found, results, left_out = [], [], []
    for number, entry in enumerate(entries, start=1):
        try:
            found.append(read(entry, predicted))
        except StudyRefused as refusal:
            left_out.append(left_out_row(number, entry, refusal))
            continue
        results.append(predicted[entry["sha256"]][1])
    return found, results, left_out


def predicted_study(
    entry: Mapping[str, Any], predicted: Predicted, nothing_found: bool = False
) -> tuple[Path, Mapping[str, Any]]:
    """The folder and result of an entry. Raises: StudyRefused: NOT_PREDICTED, or the code of a refused or empty study."""
    if entry["sha256"] not in predicted:
        raise StudyRefused("NOT_PREDICTED", "no result with the sha256 of the image")
    folder, result = predicted[entry["sha256"]]
    if result["status"] not in ("OK", *(["NOTHING_FOUND"] if nothing_found else [])):
        raise StudyRefused(result["reasons"][0]["code"], "so it was when the study was predicted")
    return folder, result


def read_study_cases(
    entry: Mapping[str, Any],
    predicted: Predicted,
    truths: Truths,
    dataset_dir: Path,
    measurements: Sequence[Target],
    nothing_found: bool = False,
) -> list[Case]:
    """The cases of one entry of a list, one per measurement, in the bundle's order.

    Raises:
        StudyRefused: NOT_PREDICTED, the code of a refused study, NOTHING_FOUND (no interval is ever given for such a study)
            unless it is asked for, NO_TRUTH, LABEL_OFF_GRID, LABEL_WITHOUT_CLASS, NON_FINITE_DRAWS.
    """
    folder, result = predicted_study(entry, predicted, nothing_found)
    if [stated["name"] for stated in result["measurements"]] != [measurement.name for measurement in measurements]:
        raise StudyRefused("NOT_PREDICTED", "the result has other measurements than the bundle")
    # Truths are read on the input's grid; of the prediction they need no more than that grid.
    grid = StoredStudy(folder.name, result, {"segmentation": np.zeros(result["input"]["shape"], np.uint8)})
    truth = truths.read(entry, dataset_dir, grid)[0]
    about = {key: entry[key] for key in ("unit", "sha256")} | {"study": folder.name, "stratum": entry.get("stratum", "")}
    about["fold"] = entry.get("fold")
    return [
        case_of(stated, result, **about, truth=_true_value(measurement, truth, result))
        for stated, measurement in zip(result["measurements"], measurements, strict=True)
    ]


def one_per_unit(cases: Sequence[AnyCase], seed: int) -> tuple[list[AnyCase], list[AnyCase]]:
    """One study of each unit: scans of one patient are not exchangeable with those of others, and pooling them overstates n.

    Args:
        cases: in the order of the list.
        seed: of the choice, which is a hash of seed and unit: no image and no value enters it.

    Returns:
        the chosen ones, and the rest as a second line, both in the order of the list.
    """
    groups: dict[str, list[AnyCase]] = {}
    for case in cases:
        groups.setdefault(case.unit, []).append(case)
    chosen = {group[_draw(seed, unit) % len(group)].sha256 for unit, group in groups.items()}
    return [case for case in cases if case.sha256 in chosen], [case for case in cases if case.sha256 not in chosen]


def first_line(cases: Sequence[Case], seed: int) -> tuple[list[Case], list[Case]]:
    """What calibration and every count of coverage look at: one study of each unit, of those in which anything was found.

    A value of 0 is no measurement and never gets an interval. It is left out before the choice, so that a unit is served by
    another of its studies, on both sides of the promise alike.

    Returns:
        as `one_per_unit`; studies with a value of 0 are in neither line.
    """
    return one_per_unit([case for case in cases if case.value > 0], seed)


def _draw(seed: int, unit: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{unit}".encode()).digest()[:8])


def _true_value(measurement: Target, truth: Truth, result: Mapping[str, Any]) -> float:
    """Raises: StudyRefused: LABEL_WITHOUT_CLASS where a class has no element: rather another numbering than a size of zero."""
    absent = sum(not (truth.labels == index).any() for index in measurement.classes)
    if absent:
        raise StudyRefused("LABEL_WITHOUT_CLASS", f"{absent} of {len(measurement.classes)} classes have no element")
    return true_value(measurement, truth, result)
