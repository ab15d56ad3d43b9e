"""From a folder of predictions and a part of a data list to cases with truths."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from caveat.reasons import StudyRefused

from ..stored.list_part import Truths, left_out_row, read_entries, refuse_other_spacing, refuse_twice
from ..stored.stored_study import StoredStudy
from ..stored.true_value import true_value
from ..targets.class_label import ClassLabel
from ..targets.landmark import Landmark
from ..targets.target import Target
from .answers import entries_of
from .case import Case, case_of
from .regions.region import Value
from .whole_result import whole_results

Stated = Target | Landmark | ClassLabel
"""What a bundle states: a measurement, where a landmark lies, or which class the image is of."""
Predicted = Mapping[str, tuple[Path, Mapping[str, Any]]]
"""Study folders and results by the image's sha256."""
Read = TypeVar("Read")


@dataclass(frozen=True)
class Cases:
    """The cases of one part of a data list.

    Args:
        by_name: name of the measurement or landmark to its cases, all in the order of the list, the same studies for each.
        units: name to unit, such as "mL".
        results: `result.json` of the same studies in the same order.
        left_out: of each entry of the list that has no case, see `left_out_row`.
    """

    by_name: dict[str, list[Case]]
    units: dict[str, str]
    results: list[Mapping[str, Any]]
    left_out: list[dict[str, Any]]


def read_cases(
    predictions: Path,
    data_list: Path,
    split: str,
    truths: Truths,
    dataset_dir: Path,
    targets: Sequence[Stated],
    nothing_found: bool = False,
) -> Cases:
    """Every predicted study of a split, matched by the image's sha256. Where there are several raters the first one is the truth.

    Args:
        predictions: folder that `caveat predict` wrote.
        data_list: MONAI's form. split: a part of it.
        truths: reads the truth of an entry, with `labels` on the input's grid or `positions`.
        dataset_dir: what the list's paths are relative to.
        targets: as the bundle's config lists them.
        nothing_found: whether a study in which nothing was found is a case too, with values of 0.

    Raises:
        StudyRefused: DUPLICATE_PREDICTION, MIXED_PREDICTIONS, WRONG_USAGE; what concerns one study is a row of `left_out`.
    """
    names = [target.name for target in targets]
    read, results, left_out = read_each(
        predictions,
        data_list,
        split,
        lambda entry, predicted: read_study_cases(entry, predicted, truths, dataset_dir, targets, nothing_found),
    )
    units = {entry["name"]: entry["unit"] for result in results for entry in entries_of(result, names)}
    return Cases({name: [cases[index] for cases in read] for index, name in enumerate(names)}, units, results, left_out)


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
    refuse_twice(entries)
    predicted = whole_results(predictions, {entry["sha256"] for entry in entries})
    found: list[Read] = []
    results: list[Mapping[str, Any]] = []
    left_out = []
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
    """The folder and result of an entry.

    Raises:
        StudyRefused: NOT_PREDICTED, the code of a refused or empty study, or as `refuse_other_spacing`.
    """
    if entry["sha256"] not in predicted:
        raise StudyRefused("NOT_PREDICTED", "no result with the sha256 of the image")
    folder, result = predicted[entry["sha256"]]
    if result["status"] not in ("OK", *(["NOTHING_FOUND"] if nothing_found else [])):
        raise StudyRefused(result["reasons"][0]["code"], "so it was when the study was predicted")
    refuse_other_spacing(entry, result)
    return folder, result


def read_study_cases(
    entry: Mapping[str, Any],
    predicted: Predicted,
    truths: Truths,
    dataset_dir: Path,
    targets: Sequence[Stated],
    nothing_found: bool = False,
) -> tuple[Case, ...]:
    """The cases of one entry of a list, one per target, in the bundle's order.

    Raises:
        StudyRefused: NOT_PREDICTED, the code of a refused study, NOTHING_FOUND (no interval is ever given for such a study)
            unless it is asked for, NO_TRUTH, LABEL_OFF_GRID, LABEL_WITHOUT_CLASS, POINTS_INCOMPLETE, NO_PIXEL_SPACING,
            SPACING_CONFLICT, NON_FINITE_DRAWS.
    """
    folder, result = predicted_study(entry, predicted, nothing_found)
    stated = entries_of(result, [target.name for target in targets])
    # Truths are read on the input's grid; of the prediction they need no more than that grid.
    grid = StoredStudy(folder.name, result, {"segmentation": np.zeros(result["input"]["shape"], np.uint8)})
    truth = truths.read(entry, dataset_dir, grid)[0]
    about = {key: entry[key] for key in ("unit", "sha256")} | {"study": folder.name, "stratum": entry.get("stratum", "")}
    about["fold"] = entry.get("fold")
    return tuple(
        case_of(one, result, **about, truth=_true_value(target, truth, result))
        for one, target in zip(stated, targets, strict=True)
    )


def _true_value(target: Stated, truth: Any, result: Mapping[str, Any]) -> Value:
    """Raises: StudyRefused: LABEL_WITHOUT_CLASS where a class has no element: rather another numbering than a size of zero. Of a
    target that may be 0, such as a count, it is an answer."""
    if not isinstance(target, Target):
        return target.of_truth(truth)
    absent = sum(not truth.mask_of(index).any() for index in target.classes)
    if absent and not target.found(0.0):
        raise StudyRefused("LABEL_WITHOUT_CLASS", f"{absent} of {len(target.classes)} classes have no element")
    return true_value(target, truth, result)
