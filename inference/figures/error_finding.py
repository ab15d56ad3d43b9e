"""Which map finds the wrong pixels."""

from __future__ import annotations

import numpy as np

from ..metrics.error_detection import finds_errors, one_minus_largest
from ..stored.stored_study import StoredStudy
from ..stored.truths import Truth

ONE_MINUS_LARGEST = "1 - max p"


def error_finding(study: StoredStudy, truth: Truth) -> dict[str, float]:
    """AUROC and AURC of each map for the wrong pixels of the reported mask, inside the region.

    Args:
        study: with "probability" of the foreground and any maps of uncertainty, (*spatial).

    Returns:
        by name; "1 - max p" is of the study's own probability. NaN for a map that is constant.
    """
    if "probability" not in study.maps:
        return {}
    out: dict[str, float] = {}
    for name, values in maps_of(study).items():
        found = finds_errors(values, study.mask, truth.mask, truth.region)
        out |= {f"AUROC for wrong pixels, {name}": found["auroc"], f"AURC over pixels, {name}": found["aurc"]}
    return out


def maps_of(study: StoredStudy) -> dict[str, np.ndarray]:
    """The study's maps of uncertainty, "1 - max p" first. Args: study: with "probability" of the foreground. Returns: by name."""
    return {ONE_MINUS_LARGEST: one_minus_largest(study.maps["probability"])} | study.uncertainty_maps
