"""How well the probability separates structure from background."""

from __future__ import annotations

from ..metrics.auc import auroc
from ..stored.stored_study import StoredStudy
from ..stored.truths import Truth


def discrimination(study: StoredStudy, truth: Truth) -> dict[str, float]:
    """AUC of the foreground's probability inside the region. Args: study: with "probability", (*spatial). Returns: by name."""
    if "probability" not in study.maps:
        return {}
    return {"AUC": auroc(study.maps["probability"][truth.region], truth.mask[truth.region])}
