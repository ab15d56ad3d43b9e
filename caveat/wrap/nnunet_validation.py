"""What an nnU-Net's cross-validation left: of every training case the mask by the one fold that has not seen it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..reasons import StudyRefused
from ..transforms.files.regular_file import text_of


@dataclass(frozen=True)
class HeldOut:
    """A training case.

    Args:
        unit: whose it is. fold: number of the network that has not seen it, from 0.
        images: a file a channel. label: the truth. mask: what that network says.
        sizes: elements of each class in the mask, as nnU-Net counted them when it had written all of its fold.
    """

    unit: str
    fold: int
    images: tuple[Path, ...]
    label: Path
    mask: Path
    sizes: Mapping[int, int]


@dataclass(frozen=True)
class TrainingSet:
    """nnU-Net's raw folder of the data that its folds were trained and validated with.

    Args:
        folder: with imagesTr and labelsTr.
        units_of: the patient of each case, by their names.
    """

    folder: Path
    units_of: Callable[[Sequence[str]], list[str]]

    def held_out(self, folds: Sequence[Path], dataset: Mapping[str, Any], channels: int) -> list[HeldOut]:
        """Every case once, in the order of its name.

        Args:
            folds: their folders, in the order of the networks. dataset: what dataset.json of the trained folder holds.
            channels: of an image.

        Raises:
            StudyRefused: NOT_OUT_OF_FOLD, NO_TRUTH, NO_INPUT_FOUND, UNITS_SEEN_IN_TRAINING for a patient in several folds,
                SOURCE_NOT_WRAPPED for another training set, WRONG_USAGE where a case has no patient.
        """
        ending = str(dataset.get("file_ending", ".nii.gz"))
        if ending not in (".nii", ".nii.gz"):
            raise StudyRefused("SOURCE_NOT_WRAPPED", "a record is made of masks that are NIfTI files")
        self._refuse_other(dataset)
        masks = _masks(folds, ending)
        sizes = {case: counted for fold in folds for case, counted in _sizes(fold / "validation", ending).items()}
        _refuse("NOT_OUT_OF_FOLD", "masks that no fold's validation/summary.json names", set(masks) - set(sizes), len(masks))
        labels = _files(self.folder / "labelsTr", ending)
        _refuse("NO_TRUTH", "validated cases without a label in labelsTr", set(masks) - set(labels), len(masks))
        missing = set(labels) - set(masks)
        _refuse("NOT_OUT_OF_FOLD", "labelled cases without a mask in any fold's validation", missing, len(labels))
        images = {case: self._images(case, ending, channels) for case in sorted(masks)}
        absent = {case for case, files in images.items() if not all(file.is_file() for file in files)}
        _refuse("NO_INPUT_FOUND", "validated cases without all their channels in imagesTr", absent, len(masks))
        units = dict(zip(images, self.units_of(list(images)), strict=True))
        _refuse_torn(units, {case: fold for case, (fold, _) in masks.items()})
        return [HeldOut(units[case], masks[case][0], images[case], labels[case], masks[case][1], sizes[case]) for case in images]

    def _images(self, case: str, ending: str, channels: int) -> tuple[Path, ...]:
        return tuple(self.folder / "imagesTr" / f"{case}_{channel:04d}{ending}" for channel in range(channels))

    def _refuse_other(self, dataset: Mapping[str, Any]) -> None:
        """Raises: StudyRefused: SOURCE_NOT_WRAPPED: its labels or channels are not those of the trained folder."""
        try:
            own = json.loads(text_of(self.folder / "dataset.json"))
        except (OSError, ValueError) as error:
            raise StudyRefused("SOURCE_NOT_WRAPPED", "dataset.json of the training set cannot be read") from error
        if any(own.get(key) != dataset.get(key) for key in ("labels", "channel_names", "file_ending")):
            raise StudyRefused("SOURCE_NOT_WRAPPED", "labels or channels of the training set are not those that were trained")


def _masks(folds: Sequence[Path], ending: str) -> dict[str, tuple[int, Path]]:
    """Case to its fold and mask. Raises: StudyRefused: NOT_OUT_OF_FOLD."""
    stored = [_files(fold / "validation", ending) for fold in folds]
    if len(folds) < 2:
        raise StudyRefused("NOT_OUT_OF_FOLD", "a single fold leaves no network for the cases that it has seen")
    if empty := [fold.name for fold, files in zip(folds, stored, strict=True) if not files]:
        raise StudyRefused("NOT_OUT_OF_FOLD", f"{', '.join(empty)} without masks in validation/: an exported model has none")
    found = {case: (number, path) for number, files in enumerate(stored) for case, path in files.items()}
    twice = {case for case in found if sum(case in files for files in stored) > 1}
    _refuse("NOT_OUT_OF_FOLD", "cases with masks in the validation of several folds", twice, len(found))
    return found


def _sizes(validation: Path, ending: str) -> dict[str, dict[int, int]]:
    """Case to the elements of each class in its mask, by summary.json. Raises: StudyRefused: NOT_OUT_OF_FOLD."""
    try:
        return {
            re.split(r"[\\/]", case["prediction_file"])[-1].removesuffix(ending): {
                int(label): int(metrics["n_pred"]) for label, metrics in case["metrics"].items()
            }
            for case in json.loads(text_of(validation / "summary.json"))["metric_per_case"]
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise StudyRefused(
            "NOT_OUT_OF_FOLD", f"{validation.parent.name} has no validation/summary.json that can be read: nnU-Net writes it last"
        ) from None


def _files(folder: Path, ending: str) -> dict[str, Path]:
    """A case to its file; none where there is no such folder."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return {path.name.removesuffix(ending): path for path in paths if path.name.endswith(ending)}


def _refuse_torn(units: Mapping[str, str], folds: Mapping[str, int]) -> None:
    """Raises: StudyRefused: UNITS_SEEN_IN_TRAINING: of a patient's cases each fold has seen some."""
    places = {(unit, folds[case]) for case, unit in units.items()}
    torn = {unit for unit in units.values() if sum(unit == one for one, _ in places) > 1}
    _refuse("UNITS_SEEN_IN_TRAINING", "patients that lie in several folds", torn, len(set(units.values())))


def _refuse(code: str, what: str, found: set[str], of: int) -> None:
    """Names of cases stay out: they may be names of patients."""
    if found:
        raise StudyRefused(code, f"{what}: {len(found)} of {of}")
