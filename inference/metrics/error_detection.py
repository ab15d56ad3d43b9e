"""How well a map of uncertainty finds the wrong elements of a segmentation."""

from __future__ import annotations

import numpy as np

from .auc import auroc
from .risk_coverage import risk_coverage_area


def finds_errors(uncertainty: np.ndarray, prediction: np.ndarray, truth: np.ndarray, region: np.ndarray) -> dict[str, float]:
    """AUROC of the map for wrong elements, and the risk-coverage area with "wrong" as the risk.

    Args:
        uncertainty: any scale; larger means less certain.
        prediction, truth, region: bool, the same shape.

    Returns:
        "auroc", "aurc". Both NaN where the map is constant in the region: it says nothing (one draw has no variance).
    """
    values, wrong = uncertainty[region], (prediction != truth)[region]
    if not values.size or values.min() == values.max():
        return {"auroc": float("nan"), "aurc": float("nan")}
    return {"auroc": auroc(values, wrong), "aurc": risk_coverage_area(wrong.astype(float), values)}


def one_minus_largest(probability: np.ndarray) -> np.ndarray:
    """1 - max p of two classes, which needs no draws. Args: probability: of one class. Returns: 0 to 0.5, same shape."""
    return np.minimum(probability, 1 - probability)
