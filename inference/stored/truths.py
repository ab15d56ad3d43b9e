"""The truths of a data list: what each rater drew, on the grid of the image."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation, ornt_transform

from caveat.reasons import StudyRefused

from ..engine.labels import refuse_more_labels, refuse_overlapping_classes
from .stored_study import StoredStudy, read_map


@dataclass(frozen=True)
class Truth:
    """One rater's reading of one study.

    Args:
        rater: name, such as "observer 1".
        labels: uint8 (*spatial), the class of each element as the network numbers them, 0 outside the region.
        region: bool (*spatial), where the reading counts.
        others: labels of further raters of the study, for measurements whose truth is of all of them.
    """

    rater: str
    labels: np.ndarray
    region: np.ndarray
    others: tuple[np.ndarray, ...] = ()

    @property
    def mask(self) -> np.ndarray:
        """The structure: bool (*spatial), every label but the background."""
        return self.labels > 0


class MaskTruths:
    """Masks, one file per rater, each on the image's own grid; inside the list's region where it names one.

    Args:
        raters: names of the raters, in the order of the list's "label".
        classes: numbers of the classes that every label must hold, in the network's numbering; a label that lacks one, or
            holds another, is refused. None for masks of one structure: whatever is above 0 is class 1.
        may_lack: a label need not hold every class: not every image shows all of them.

    Raises:
        ValueError: a class above 255.
    """

    def __init__(self, raters: Sequence[str] = ("truth",), classes: Sequence[int] | None = None, may_lack: bool = False) -> None:
        self.raters = tuple(raters)
        self.may_lack = may_lack
        self.classes = None if classes is None else frozenset(classes)
        refuse_more_labels(max(self.classes or [0]) + 1)

    def read(self, entry: Mapping[str, Any], dataset_dir: Path, study: StoredStudy) -> list[Truth]:
        """The truths of one entry of the list.

        Args:
            entry: with "label", a path or one per rater, and perhaps "region".
            dataset_dir: what the list's paths are relative to.
            study: the stored prediction, whose grid they must have.

        Raises:
            StudyRefused: NO_TRUTH, LABEL_OFF_GRID, LABEL_WITHOUT_CLASS, OVERLAPPING_CLASSES.
        """
        refuse_overlapping_classes(study.result)
        labels = entry.get("label") or []
        paths = [dataset_dir / label for label in ([labels] if isinstance(labels, str) else labels)]
        there = sum(map(os.path.isfile, paths))
        if not len(paths) == len(self.raters) == there:
            raise StudyRefused("NO_TRUTH", f"{there} of {len(self.raters)} raters' files found")
        region = np.ones(study.mask.shape, bool)
        if entry.get("region"):
            region = on_grid(dataset_dir / entry["region"], study) > 0
        read = {rater: self._labels(on_grid(path, study)) for rater, path in zip(self.raters, paths, strict=True)}
        return [Truth(rater, np.where(region, labels, np.uint8(0)), region) for rater, labels in read.items()]

    def _labels(self, array: np.ndarray) -> np.ndarray:
        """Classes of a label as stored. Returns: uint8, same shape. Raises: StudyRefused: LABEL_WITHOUT_CLASS."""
        if self.classes is None:
            return (array > 0).astype(np.uint8)
        found = set(np.unique(array).tolist())
        missing, other = frozenset() if self.may_lack else self.classes - found, found - self.classes - {0}
        if missing or other:
            raise StudyRefused("LABEL_WITHOUT_CLASS", f"classes without an element: {len(missing)}, other values: {len(other)}")
        return array.astype(np.uint8)

    def as_prediction(self, truth: Truth) -> StoredStudy:
        """A rater's reading in the place of the network's, to be scored against the other raters."""
        return StoredStudy(truth.rater, maps={"segmentation": truth.labels})


def along_axes_of(array: np.ndarray, affine: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flip and permute axes, nothing else, so that they run as those of another affine do.

    Args:
        array: (x, y, z).

    Raises:
        StudyRefused: LABEL_OFF_GRID, the label's own affine is no position in space.
    """
    try:
        turn = ornt_transform(io_orientation(affine), io_orientation(wanted))
    except ValueError:  # LinAlgError is one
        raise StudyRefused("LABEL_OFF_GRID", "the label's affine is no position in space") from None
    return apply_orientation(array, turn), affine @ inv_ornt_aff(turn, array.shape)


def on_grid(path: Path, study: StoredStudy) -> np.ndarray:
    """A label that lies on the study's grid, in whichever order its axes run: a mask drawn on a DICOM series comes as NIfTI.

    Returns:
        (*spatial), the stored values along the study's axes.

    Raises:
        StudyRefused: NO_TRUTH, LABEL_OFF_GRID.
    """
    if not os.path.isfile(path):
        raise StudyRefused("NO_TRUTH", "the list names a file that is not there")
    array, affine = read_map(path)
    expected = study.result["input"].get("affine")
    if affine is not None and expected is not None and array.ndim == 3:
        array, affine = along_axes_of(array, affine, np.asarray(expected))
    if array.shape != study.mask.shape:
        raise StudyRefused("LABEL_OFF_GRID", f"label {array.shape}, image {study.mask.shape}")
    if affine is not None and expected is not None:
        off = float(np.abs(affine - np.asarray(expected)).max())
        if off > 1e-3:
            raise StudyRefused("LABEL_OFF_GRID", f"the affine matrices differ by up to {off:.3g} mm")
    return array
