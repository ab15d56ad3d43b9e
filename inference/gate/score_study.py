"""Scores of a study that the gate looks at, beside those of the reducers."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from monai.transforms import Transform

from ...transforms.files.arrays import array_of
from .image_scores import image_scores
from .reference import Reference


class ScoreStudyd(Transform):
    """Add study scores: `noise`, `relative_noise`, `blur`, `shading` of the image, `structure_entropy`, `feature_distance`.

    A score that cannot be taken is absent or NaN, and a gate that checks it does not accept the study. Also adds to
    `sampling` the `feature_reference` that the distance was taken from (its sha256, or None), for a record's identity.

    Args:
        image_key: preprocessed image, (channels, *spatial).
        reference: file of a `Reference`; without it there is no distance.
        bundle: facts of the bundle that runs: weights_sha256, preprocessing_sha256. Where the reference is not theirs the
            distance is absent and the result is flagged FEATURE_REFERENCE_MISMATCH.
        channel: of the image to score.

    Raises:
        StudyRefused: CORRUPT, when made: the reference is no such file.
    """

    def __init__(self, image_key: str, reference: str | Path, bundle: Mapping[str, Any], channel: int = 0) -> None:
        self.image_key = image_key
        self.channel = channel
        found = Reference.read(Path(reference))
        self.mismatch = found is not None and not found.belongs_to(bundle)
        self.reference = None if self.mismatch else found

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: study with `result`, the image, and, (1, *spatial) on the input's grid, `segmentation` and `entropy`."""
        result = dict(data["result"])
        scores = dict(result["study_scores"]) | image_scores(array_of(data, self.image_key)[self.channel])
        if "entropy" in data and "segmentation" in data:
            scores["structure_entropy"] = structure_entropy(data)
        if self.reference is not None and result.get("features"):
            scores["feature_distance"] = self.reference.distance(result["features"])
        if self.mismatch:
            result["flags"] = sorted({*result["flags"], "FEATURE_REFERENCE_MISMATCH"})
        reference = self.reference.sha256 if self.reference is not None else None
        sampling = dict(result["sampling"]) | {"feature_reference": reference}
        return dict(data) | {"result": result | {"study_scores": scores, "sampling": sampling}}


def structure_entropy(data: Mapping[Hashable, Any]) -> float:
    """Sum of the entropy map over voxels predicted as any structure, in nats a voxel; NaN where nothing was found.

    The sum alone grows with the structure's surface; the ratio compares studies of different size.
    """
    found = int((array_of(data, "segmentation") > 0).sum())
    return float(array_of(data, "entropy").sum()) / found if found else math.nan
