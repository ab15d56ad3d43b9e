"""What each pixel of a simulated radiograph shows, from the paths of its ray."""

from __future__ import annotations

import numpy as np

COLLIMATOR, OPEN_BEAM, SOFT_TISSUE, BONE = range(4)
"""Classes. What lies behind the collimator is the background: so is what lies beyond the image."""
BODY_MM, BONE_MM = 1.0, 3.0
"""Shortest path through a body, and through bone. From 2 to 4 mm of bone the outlines move by half a millimetre at most."""
SOFTNESS = 0.25
"""Width of the soft label's step, as a share of the threshold."""


def hard_labels(body_mm: np.ndarray, bone_mm: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Args: body_mm, bone_mm: paths; field: bool, not behind the collimator. Returns: uint8, the same shape."""
    inside = np.where(bone_mm >= BONE_MM, BONE, np.where(body_mm >= BODY_MM, SOFT_TISSUE, OPEN_BEAM))
    return np.where(field, inside, COLLIMATOR).astype(np.uint8)


def soft_labels(body_mm: np.ndarray, bone_mm: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Shares of open beam, soft tissue and bone, (3, rows, columns) float64, 0 behind the collimator: a step at either path.

    Where a share is above a half the hard label agrees.
    """
    body, bone = (_step(path, threshold) for path, threshold in ((body_mm, BODY_MM), (bone_mm, BONE_MM)))
    return np.stack([(1 - body) * (1 - bone), body * (1 - bone), bone]) * field


def _step(path: np.ndarray, threshold: float) -> np.ndarray:
    return 1 / (1 + np.exp(-(path - threshold) / (SOFTNESS * threshold)))
