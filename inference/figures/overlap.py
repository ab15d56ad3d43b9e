"""Overlap of the reported mask with a rater's."""

from __future__ import annotations

from ..metrics.overlap import dice, sensitivity, specificity
from ..stored.stored_study import StoredStudy
from ..stored.truths import Truth


def overlap(study: StoredStudy, truth: Truth) -> dict[str, float]:
    """Dice, sensitivity and specificity inside the truth's region. Args: study: with "segmentation". Returns: by name."""
    return {
        "Dice": dice(study.mask, truth.mask, truth.region),
        "sensitivity": sensitivity(study.mask, truth.mask, truth.region),
        "specificity": specificity(study.mask, truth.mask, truth.region),
    }


def found_region(study: StoredStudy, truth: Truth, name: str = "field of view") -> dict[str, float]:
    """Dice of the region that was found in the image with the published one. Args: name: what the region is called."""
    if "region" not in study.maps:
        return {}
    everywhere = truth.region | True
    return {f"Dice of the {name} found": dice(study.maps["region"] > 0, truth.region, everywhere)}
