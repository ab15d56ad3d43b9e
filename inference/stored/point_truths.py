"""The truths of a landmark task: where each rater placed each landmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from caveat.reasons import StudyRefused

from ...transforms.files.answers import LANDMARK
from ...transforms.landmarks.points_table import read_points, refuse_other_axes
from .stored_study import StoredStudy


@dataclass(frozen=True)
class PointTruth:
    """One rater's landmarks of one study.

    Args:
        rater: name, such as "senior".
        positions: (axes,) by the landmark's name, mm in the image's world, as `value` of a result's `points`.
    """

    rater: str
    positions: Mapping[str, np.ndarray]


class PointTruths:
    """Tables of landmarks, one an image, that hold every rater (see `read_points`).

    Args:
        raters: whose landmarks are truths; each is also read in the place of a prediction, against those named before it.
        names: of the landmarks.
        folder: what the list's "points" start from; None for the folder of the list's other paths.
    """

    def __init__(self, raters: Sequence[str], names: Sequence[str], folder: str | Path | None = None) -> None:
        self.raters = tuple(raters)
        self.names = tuple(names)
        self.folder = None if folder is None else Path(folder)

    def read(self, entry: Mapping[str, Any], dataset_dir: Path, study: StoredStudy) -> list[PointTruth]:
        """The truths of one entry of the list.

        Args:
            entry: with "points", a path.
            dataset_dir: see `folder`.
            study: the stored prediction, whose grid the tables are given on.

        Raises:
            StudyRefused: NO_TRUTH, POINTS_INCOMPLETE; NO_PIXEL_SPACING where the prediction is in pixels, which have no distance
                in mm.
        """
        if not entry.get("points"):
            raise StudyRefused("NO_TRUTH", "the entry names no table of points")
        if study.result["input"].get("spacing_mm") is None:
            raise StudyRefused("NO_PIXEL_SPACING", "predicted without a spacing")
        path = (self.folder or dataset_dir) / entry["points"]
        affine = np.asarray(study.result["input"]["affine"], float)
        axes = len(study.result["input"]["spacing_mm"])
        return [self._truth(path, rater, affine, axes) for rater in self.raters]

    def _truth(self, path: Path, rater: str, affine: np.ndarray, axes: int) -> PointTruth:
        index = read_points(path, rater, self.names)
        refuse_other_axes(index, axes)
        world = index @ affine[:axes, :axes].T + affine[:axes, 3]
        return PointTruth(rater, dict(zip(self.names, world, strict=True)))

    def as_prediction(self, truth: PointTruth) -> StoredStudy:
        """A rater's landmarks in the place of the network's, to be scored against the other raters."""
        positions = truth.positions.items()
        answers = [{"kind": LANDMARK, "name": name, "unit": "mm", "value": position.tolist()} for name, position in positions]
        return StoredStudy(truth.rater, result={"answers": answers})
