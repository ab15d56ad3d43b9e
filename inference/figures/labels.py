"""Each class of a segmentation against a rater's, under its own name."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from ..metrics.overlap import dice
from ..metrics.surface_distance import PERCENTILE, surface_distances
from ..stored.stored_study import StoredStudy
from ..stored.truths import Truth


def label_overlap(study: StoredStudy, truth: Truth, class_names: Sequence[str]) -> dict[str, float]:
    """Dice of every class inside the truth's region. Args: class_names: background first. Returns: by name."""
    return {
        f"Dice, {name}": dice(predicted, true, truth.region) for name, predicted, true in each_class(study, truth, class_names)
    }


def label_surfaces(
    study: StoredStudy, truth: Truth, class_names: Sequence[str], tolerance: float = 1.0, whole: str | None = None
) -> dict[str, float]:
    """Distances between the surfaces of every class inside the truth's region.

    Args:
        study: with `result.json`; in mm where its spacing is known, else in elements.
        class_names: background first.
        tolerance: of the surface Dice, mm or elements.
        whole: how all classes together are called; None leaves them out.

    Returns:
        by name, see `surface_distances`; "missed", 1 where a structure that is there was not found at all and so has no
        distance, else 0, NaN where none is there; empty for a reading without a grid of its own.
    """
    if "input" not in study.result:
        return {}
    spacing = study.result["input"].get("spacing_mm")
    unit = "elements" if spacing is None else "mm"
    pairs = list(each_class(study, truth, class_names))
    if whole is not None:
        pairs.append((whole, study.mask, truth.mask))
    out: dict[str, float] = {}
    for name, predicted, true in pairs:
        found = surface_distances(predicted & truth.region, true, spacing or [1.0] * true.ndim, tolerance)
        out |= {
            f"average surface distance, {name}, {unit}": found["average"],
            f"{PERCENTILE} % Hausdorff distance, {name}, {unit}": found["hausdorff"],
            f"surface Dice at {tolerance:g} {unit}, {name}": found["dice"],
            f"missed, {name}": float(not (predicted & truth.region).any()) if true.any() else math.nan,
        }
    return out


def each_class(study: StoredStudy, truth: Truth, class_names: Sequence[str]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, predicted mask and true mask, bool (*spatial), of every class but the background."""
    for index, name in enumerate(class_names):
        if index:
            yield name, study.mask_of(index), truth.mask_of(index)
