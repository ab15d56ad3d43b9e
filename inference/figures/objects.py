"""How well the objects of a picture were told apart."""

from __future__ import annotations

from ..metrics.object_overlap import aggregated_jaccard, average_precision, object_iou
from ..stored.stored_study import StoredStudy
from ..stored.truths import Truth

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Of the IoU: those of the Data Science Bowl 2018 in larger steps."""


def objects(study: StoredStudy, truth: Truth) -> dict[str, float]:
    """Aggregated Jaccard index, and average precision at five thresholds of the IoU.

    Args:
        study: with the map "objects". truth: whose objects are numbered.

    Returns:
        by name; empty where either did not tell objects apart.
    """
    if "objects" not in study.maps or truth.numbered is None:
        return {}
    found = study.maps["objects"].astype(int)
    iou = object_iou(truth.numbered, found)
    precision = {f"average precision at IoU {threshold}": average_precision(iou, threshold) for threshold in THRESHOLDS}
    return {"aggregated Jaccard index": aggregated_jaccard(truth.numbered, found), **precision}
