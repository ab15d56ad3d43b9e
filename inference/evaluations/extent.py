"""The reported number against the truth's."""

from __future__ import annotations

import numpy as np

from ..metrics.extent_error import extent_error
from ..stored_study import StoredStudy
from ..truths import Truth


def extent(study: StoredStudy, truth: Truth, measurement: str) -> dict[str, float]:
    """Error of a measured area or volume, as the result states it.

    Args:
        study: with `result.json`.
        measurement: name of an entry of its `measurements`.

    Returns:
        error with sign (its mean is the bias) and absolute, as shares of the truth; whether the truth lies within the range of
        the draws (1 or 0; a range of draws promises nothing, this shows how little). Empty for a reading that measured nothing.

    Raises:
        KeyError: the result has no such measurement.
    """
    if "measurements" not in study.result:
        return {}
    entry = {entry["name"]: entry for entry in study.result["measurements"]}[measurement]
    true = true_extent(truth, entry["unit"], study)
    error = extent_error(entry["value"], true)
    out = {f"{measurement}: error, share of the truth": error["signed"], f"{measurement}: absolute error": error["absolute"]}
    draws = entry["draws"]["values"]
    if len(draws) > 1:
        out[f"{measurement}: truth within the range of the draws"] = float(min(draws) <= true <= max(draws))
    return out


def true_extent(truth: Truth, unit: str, study: StoredStudy) -> float:
    """The truth's extent in the measurement's unit. Args: unit: of `result.json`. Returns: in that unit."""
    count = float(truth.mask.sum())
    if unit in ("pixels", "voxels"):
        return count
    if unit == "%":
        return 100 * count / float(truth.region.sum())
    axes = truth.mask.ndim
    size = abs(float(np.linalg.det(np.asarray(study.result["input"]["affine"])[:axes, :axes])))  # shear included
    return count * size * {"mm2": 1.0, "mm3": 1.0, "mL": 1e-3}[unit]
