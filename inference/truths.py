"""The truths of a data list: what each rater drew, on the grid of the image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from caveat.reasons import StudyRefused

from .stored_study import StoredStudy, read_map


@dataclass(frozen=True)
class Truth:
    """One rater's reading of one study.

    Args:
        rater: name, such as "observer 1".
        mask: bool (*spatial), the structure inside the region.
        region: bool (*spatial), where the reading counts.
    """

    rater: str
    mask: np.ndarray
    region: np.ndarray


class MaskTruths:
    """Masks, one file per rater, each on the image's own grid; inside the list's region where it names one.

    Args:
        raters: names of the raters, in the order of the list's "label".
    """

    def __init__(self, raters: Sequence[str] = ("truth",)) -> None:
        self.raters = tuple(raters)

    def read(self, entry: Mapping[str, Any], dataset_dir: Path, study: StoredStudy) -> list[Truth]:
        """The truths of one entry of the list.

        Args:
            entry: with "label", a path or one per rater, and perhaps "region".
            dataset_dir: what the list's paths are relative to.
            study: the stored prediction, whose grid they must have.

        Raises:
            StudyRefused: NO_TRUTH, LABEL_OFF_GRID.
        """
        labels = entry.get("label") or []
        paths = [dataset_dir / label for label in ([labels] if isinstance(labels, str) else labels)]
        if len(paths) != len(self.raters) or not all(path.is_file() for path in paths):
            raise StudyRefused("NO_TRUTH", f"{sum(path.is_file() for path in paths)} of {len(self.raters)} raters' files found")
        region = np.ones(study.mask.shape, bool)
        if entry.get("region"):
            region = on_grid(dataset_dir / entry["region"], study)
        return [Truth(rater, on_grid(path, study) & region, region) for rater, path in zip(self.raters, paths, strict=True)]

    def as_prediction(self, truth: Truth) -> StoredStudy:
        """A rater's reading in the place of the network's, to be scored against the other raters."""
        return StoredStudy(truth.rater, maps={"segmentation": truth.mask.astype(np.uint8)})


def on_grid(path: Path, study: StoredStudy) -> np.ndarray:
    """A mask that lies on the study's grid. Returns: bool (*spatial). Raises: StudyRefused: NO_TRUTH, LABEL_OFF_GRID."""
    if not path.is_file():
        raise StudyRefused("NO_TRUTH", "the list names a file that is not there")
    array, affine = read_map(path)
    if array.shape != study.mask.shape:
        raise StudyRefused("LABEL_OFF_GRID", f"label {array.shape}, image {study.mask.shape}")
    expected = study.result["input"].get("affine")
    if affine is not None and expected is not None:
        off = float(np.abs(affine - np.asarray(expected)).max())
        if off > 1e-3:
            raise StudyRefused("LABEL_OFF_GRID", f"the affine matrices differ by up to {off:.3g} mm")
    return array > 0
