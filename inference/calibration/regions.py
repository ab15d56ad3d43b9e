"""Conformal regions of points: a radius or an ellipse around each, alone or for all points of a study at once.

In millimetres throughout, also where pixels are not square.
"""

from __future__ import annotations

import math

import numpy as np

from .quantile import quantile


def radius_scores(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Distance of each point from its truth. Args: both (..., points, axes), mm. Returns: (..., points), mm."""
    return np.linalg.norm(np.asarray(truth, float) - predicted, axis=-1)


def shape_matrix(draws: np.ndarray, pooled: np.ndarray, share: float, floor: float) -> np.ndarray:
    """Shape of a point's ellipse: S = (1 - share) C + share P + floor I. The covariance of few draws alone is noise.

    Args:
        draws: C, (..., axes, axes), covariance of a point's draws, mm2.
        pooled: P, of the same shape or broadcast, such as the mean of C over training units.
        share: of P, in [0, 1]. floor: mm2, above 0.

    Raises:
        ValueError: a share or a floor outside.
    """
    if not 0 <= share <= 1 or not floor > 0:
        raise ValueError(f"the share lies in [0, 1] and the floor above 0, got {share} and {floor}")
    return (1 - share) * np.asarray(draws, float) + share * np.asarray(pooled, float) + floor * np.eye(np.shape(draws)[-1])


def ellipse_scores(predicted: np.ndarray, truth: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Distance of each point in its ellipse's own measure, sqrt((y - y')' S^-1 (y - y')).

    Args:
        predicted, truth: (..., points, axes), mm. shape: S, (..., points, axes, axes), mm2.
    """
    error = np.asarray(truth, float) - predicted
    solved = np.linalg.solve(shape, error[..., None])[..., 0]
    return np.sqrt(np.sum(error * solved, axis=-1))


def region_quantiles(scores: np.ndarray, miss: float, simultaneous: bool) -> list[float]:
    """How far each point's region reaches.

    Args:
        scores: (units, points).
        miss: share of truths that may lie outside.
        simultaneous: one reach, so that all points of a study lie inside at once, by the largest score of each unit; else one
            for each point alone.

    Returns:
        a reach per point: mm, or a factor of the ellipse; infinite where the units are too few.
    """
    scores = np.asarray(scores, float)
    if simultaneous:
        return [quantile(scores.max(axis=1).tolist(), miss)] * scores.shape[1]
    return [quantile(column.tolist(), miss) for column in scores.T]


def region_size(reach: float, axes: int, shape: np.ndarray | None = None) -> float:
    """Area (2 axes, mm2) or volume (3, mm3) of a region: pi q^2 sqrt(det S), or 4/3 pi q^3 sqrt(det S).

    Args:
        reach: q, of `region_quantiles`. shape: S of an ellipse; None for a disc or ball.
    """
    root = 1.0 if shape is None else math.sqrt(np.linalg.det(shape))
    return math.pi ** (axes / 2) / math.gamma(axes / 2 + 1) * reach**axes * root
