"""The shape of a configuration of landmarks: what is left of it whatever its place, size and turn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial import procrustes

FARTHEST = 1.0
"""Of the distance: no turn and size bring any of the one to the other."""


def mean_shape(configurations: Sequence[np.ndarray]) -> np.ndarray:
    """Mean of configurations that are each brought onto the first. Args: each (landmarks, axes). Returns: the same shape."""
    return np.mean([procrustes(configurations[0], other)[1] for other in configurations], axis=0)


def shape_distance(configuration: np.ndarray, shape: np.ndarray) -> float:
    """Root of the squared distance that stays between two configurations of unit size after the best turn and scaling, in
    [0, 1]; 1 where all landmarks coincide.

    A mirrored configuration has the same shape: a picture the wrong way round is of no other kind.

    Args:
        configuration, shape: (landmarks, axes), in any unit.

    Source: Gower 1975 (full Procrustes distance).
    """
    if np.ptp(configuration, axis=0).max() == 0:
        return FARTHEST
    return float(np.sqrt(procrustes(shape, configuration)[2]))
