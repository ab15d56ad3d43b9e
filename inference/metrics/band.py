"""The band around a structure: where its border may reasonably lie."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt


def band_around(truth: np.ndarray, prediction: np.ndarray, region: np.ndarray, distance: float) -> np.ndarray:
    """Elements of the region at most `distance` from truth or prediction, both included.

    The far background, all right and all certain, would swamp a calibration error of the whole region.

    Args:
        truth, prediction, region: bool, one shape, any number of axes.
        distance: in elements, Euclidean.

    Returns:
        bool, same shape.
    """
    union = (truth | prediction) & region
    if not union.any():
        return np.zeros_like(region)
    return (distance_transform_edt(~union) <= distance) & region
