"""Bones of a CT as solid bodies: what a radiograph shows as bone is more than its dense shell."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

SMOOTHING, CLOSING = 0.5, 3
"""Voxels."""
SMALLEST = 40
"""Voxels of a part; less is noise."""


def bone_mask(hounsfield: np.ndarray, body: np.ndarray, threshold_hu: float) -> np.ndarray:
    """Voxels above a threshold, closed and filled slice by slice: ends of long bones are hollow in a CT.

    Contrast agent passes the threshold as bone does.

    Args:
        hounsfield: (z, y, x).
        body: bool, the same shape.
        threshold_hu: above which a voxel is bone.

    Returns:
        bool (z, y, x).
    """
    dense = ndimage.gaussian_filter(np.where(body, hounsfield, -1000.0), SMOOTHING) > threshold_hu
    parts, _ = ndimage.label(dense)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    large = (sizes >= SMALLEST)[parts]
    margin = CLOSING + 1  # a bone that leaves the volume stays closed at its face
    padded = np.pad(large, margin, mode="edge")
    closed = ndimage.binary_closing(padded, iterations=CLOSING)[(slice(margin, -margin),) * 3] & body
    return np.stack([ndimage.binary_fill_holes(piece) for piece in closed])
