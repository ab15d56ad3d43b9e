"""Area under the risk-coverage curve: is the most certain part also the most right?"""

from __future__ import annotations

import numpy as np


def risk_coverage_curve(risk: np.ndarray, uncertainty: np.ndarray) -> np.ndarray:
    """Mean risk of the i most certain elements, i from 1 to n.

    Equal uncertainties count in the mean over all their orders: within a tie each element stands for the tie's mean risk.

    Args:
        risk: (n,), 0 to 1, such as 1 - Dice of a study or "wrong" of a pixel.
        uncertainty: (n,), any scale; the smallest is the most certain.

    Returns:
        (n,), the last is the mean risk.

    Raises:
        ValueError: a risk or an uncertainty is NaN.

    Source: Geifman et al. 2019.
    """
    if np.isnan(risk).any() or np.isnan(uncertainty).any():
        raise ValueError("a risk or an uncertainty is NaN")
    _, tie, sizes = np.unique(uncertainty, return_inverse=True, return_counts=True)
    mean_risk = np.bincount(tie, weights=risk, minlength=len(sizes)) / sizes
    return np.cumsum(np.repeat(mean_risk, sizes)) / np.arange(1, risk.size + 1)


def risk_coverage_area(risk: np.ndarray, uncertainty: np.ndarray) -> float:
    """AURC: mean of the risk-coverage curve.

    Args, raises: as `risk_coverage_curve`.

    Returns:
        0 is best; a random order gives the mean risk. NaN without elements.

    Source: Geifman et al. 2019 (AURC, E-AURC).
    """
    curve = risk_coverage_curve(risk, uncertainty)
    return float(np.mean(curve)) if risk.size else float("nan")


def excess_risk_coverage_area(risk: np.ndarray, uncertainty: np.ndarray) -> float:
    """E-AURC: the area less that of the best order, by the risk itself.

    Args, raises and source: as `risk_coverage_area`.

    Returns:
        0 is best.
    """
    return risk_coverage_area(risk, uncertainty) - risk_coverage_area(risk, risk)
