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

from ..engine.labels import label_map_of, overlapping_classes, refuse_more_labels
from .stored_study import StoredStudy, read_map


@dataclass(frozen=True)
class Truth:
    """One rater's reading of one study.

    Args:
        rater: name, such as "observer 1".
        labels: uint8 (*spatial), the class of each element as the network numbers them, 0 outside the region; of classes that
            overlap the last one.
        region: bool (*spatial), where the reading counts.
        others: labels of further raters of the study, for measurements whose truth is of all of them.
        overlapping: of classes that may overlap, where each is inside the region: bool (classes, *spatial), the first of them
            class 1. None where the labels say it.
        numbered: the rater's objects, int (*spatial), from 1 without a gap, where he told them apart.
    """

    rater: str
    labels: np.ndarray
    region: np.ndarray
    others: tuple[np.ndarray, ...] = ()
    overlapping: np.ndarray | None = None
    numbered: np.ndarray | None = None

    def mask_of(self, index: int) -> np.ndarray:
        """Where one class is: bool (*spatial)."""
        return self.labels == index if self.overlapping is None else self.overlapping[index - 1]

    @property
    def mask(self) -> np.ndarray:
        """The structure: bool (*spatial), every label but the background."""
        return self.labels > 0


class MaskTruths:
    """Masks, one file per rater, each on the image's own grid; inside the list's region where it names one.

    Where the network's classes may overlap (link sigmoid, two classes or more), a label map would hide one behind the other: a
    rater's label has a channel a class then, as MONAI's one-hot labels do, in the network's order and without the background.
    It is a NIfTI whose fourth axis holds the channels, or a list of files, one a class.

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
            entry: with "label", a path or one per rater, of overlapping classes a list of paths or one such list per rater; and
                perhaps "region".
            dataset_dir: what the list's paths are relative to.
            study: the stored prediction, whose grid they must have.

        Raises:
            StudyRefused: NO_TRUTH, LABEL_OFF_GRID, LABEL_WITHOUT_CLASS, OVERLAPPING_CLASSES.
        """
        overlap = overlapping_classes(study.result)
        if overlap and self.classes is None:
            raise StudyRefused("OVERLAPPING_CLASSES", "the bundle's truths name no classes")
        drawn = self._files(entry.get("label") or [], dataset_dir, overlap)
        region = np.ones(study.mask.shape, bool)
        if entry.get("region"):
            region = on_grid(dataset_dir / entry["region"], study) > 0
        if overlap:
            return [self._of_channels(rater, channels_on_grid(files, study), region, overlap) for rater, files in drawn.items()]
        read = {rater: self._labels(on_grid(file, study)) for rater, (file,) in drawn.items()}
        return [Truth(rater, np.where(region, labels, np.uint8(0)), region) for rater, labels in read.items()]

    def _files(self, stated: Any, dataset_dir: Path, overlap: int) -> dict[str, list[Path]]:
        """Each rater's. Args: stated: the list's "label". overlap: of `overlapping_classes`. Raises: StudyRefused: NO_TRUTH."""
        of_one = isinstance(stated, str) or (overlap and len(self.raters) == 1 and all(isinstance(path, str) for path in stated))
        by_rater = [stated] if of_one else stated
        files = [[dataset_dir / path for path in ([paths] if isinstance(paths, str) else paths)] for paths in by_rater]
        there = sum(bool(paths) and all(map(os.path.isfile, paths)) for paths in files)
        if not len(files) == len(self.raters) == there:
            raise StudyRefused("NO_TRUTH", f"{there} of {len(self.raters)} raters' files found")
        if not overlap and any(len(paths) > 1 for paths in files):
            raise StudyRefused("NO_TRUTH", "a list of files for one rater, and the classes do not overlap")
        return dict(zip(self.raters, files, strict=True))

    def _of_channels(self, rater: str, channels: np.ndarray, region: np.ndarray, classes: int) -> Truth:
        """Args: channels: (classes, *spatial) as stored. Raises: StudyRefused: OVERLAPPING_CLASSES, LABEL_WITHOUT_CLASS."""
        if len(channels) != classes:
            raise StudyRefused("OVERLAPPING_CLASSES", f"a label of {len(channels)} channels, and {classes} classes")
        held = [set(np.unique(channel).tolist()) - {0} for channel in channels]
        if any(len(values) > 1 or not all(value > 0 for value in values) for values in held):
            raise StudyRefused("LABEL_WITHOUT_CLASS", "a channel holds other values than 0 and one above it")
        absent = sum(not values for values in held)
        if absent and not self.may_lack:
            raise StudyRefused("LABEL_WITHOUT_CLASS", f"classes without an element: {absent}")
        masks = (channels > 0) & region
        return Truth(rater, label_map_of(masks), region, overlapping=masks)

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
        return StoredStudy(truth.rater, maps={"segmentation": truth.labels}, overlapping=truth.overlapping)


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
    return laid_on_grid(*read_map(path), study)


def channels_on_grid(files: Sequence[Path], study: StoredStudy) -> np.ndarray:
    """One rater's label of classes that may overlap. Args: files: one with all channels, or one a class.

    Returns:
        (classes, *spatial), the stored values along the study's axes.

    Raises:
        StudyRefused: NO_TRUTH, LABEL_OFF_GRID; OVERLAPPING_CLASSES for a single file that is one label map.
    """
    if len(files) > 1:
        return np.stack([on_grid(file, study) for file in files])
    array, affine = read_map(files[0])
    if array.ndim != study.mask.ndim + 1:
        raise StudyRefused("OVERLAPPING_CLASSES", "the label is one map, without a channel a class")
    return np.stack([laid_on_grid(channel, affine, study) for channel in array])


def laid_on_grid(array: np.ndarray, affine: np.ndarray | None, study: StoredStudy) -> np.ndarray:
    """As `on_grid`. Args: array: (*spatial) as stored. affine: its own, None of a picture."""
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
