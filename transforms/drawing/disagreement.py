"""Where the draws disagree most, and where the thing found lies."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from ..files.arrays import array_of


def place_of_disagreement(study: Mapping[Hashable, Any], box: Sequence[int]) -> tuple[int, ...] | None:
    """The middle of the box in which the draws disagree most.

    Args:
        study: with `mutual_information`, else `variance`, else `hypotheses`; inside a `region` where there is one, and off its
            rim where they part anywhere else: along that of a fundus photograph they do over what is part of nothing.
        box: elements per axis over which the disagreement is averaged.

    Returns:
        A voxel; None where nothing tells, or the draws agree everywhere.
    """
    values = _disagreement(study)
    if values is None:
        return None
    if "region" in study:
        inside = array_of(study, "region")[0] > 0
        core = ndimage.minimum_filter(inside, size=tuple(box), mode="nearest")
        values = values * (core if (values * core).any() else inside)
    smooth = ndimage.uniform_filter(values.astype(np.float32), size=tuple(box), mode="constant")
    if smooth.max() <= 0:
        return None
    return tuple(int(i) for i in np.unravel_index(smooth.argmax(), smooth.shape))


def middle_of_segmentation(study: Mapping[Hashable, Any]) -> tuple[int, ...] | None:
    """The centre of mass of what was found, moved onto the slice grid; None where nothing was."""
    labels = array_of(study, "segmentation")[0] if "segmentation" in study else None
    if labels is None or not labels.any():
        return None
    return tuple(round(float(c)) for c in ndimage.center_of_mass(labels > 0))


def _disagreement(study: Mapping[Hashable, Any]) -> np.ndarray | None:
    for name in ("mutual_information", "variance"):
        if name in study:
            return array_of(study, name).max(axis=0)  # of classes that may overlap there is one a class
    if "hypotheses" in study:
        share = (array_of(study, "hypotheses") > 0).mean(axis=0)
        return share * (1 - share)
    return None
