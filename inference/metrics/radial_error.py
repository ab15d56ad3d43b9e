"""How far landmarks are from where they belong."""

from __future__ import annotations

import numpy as np


def radial_errors(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Distance of each landmark from its truth.

    Args:
        predicted, truth: (..., landmarks, axes), of one shape, mm.

    Returns:
        (..., landmarks), mm.

    Raises:
        ValueError: shapes that differ: a broadcast would compare one landmark with another.
    """
    predicted, truth = np.asarray(predicted, float), np.asarray(truth, float)
    if predicted.shape != truth.shape:
        raise ValueError(f"landmarks of shapes {predicted.shape} and {truth.shape}")
    return np.linalg.norm(predicted - truth, axis=-1)


def detection_rate(errors: np.ndarray, within: float) -> float:
    """Share of errors below a distance (not at it, as the challenge of ISBI 2014/2015 counts), the "success detection rate".

    Args:
        errors: any shape, mm. within: mm.

    Returns:
        0 to 1; NaN of no errors.
    """
    return float(np.mean(np.asarray(errors) < within)) if np.size(errors) else float("nan")
