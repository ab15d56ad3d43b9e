"""What can be said of an image's quality without its truth: noise, in its own unit or of its contrast, blur, shading."""

from __future__ import annotations

import math

import numpy as np
from skimage.measure import blur_effect

NORMAL_QUARTILE = 0.6745
"""Median of |z| of a standard normal z."""
BLUR_WINDOW = 3
"""Voxels. Slight blur is told from none by the smallest window: on 53 training scans of the hippocampus, half a voxel of
Gaussian blur along one axis moved the score past nearly all sharp scans at 3, past half of them at 11."""

IMAGE_SCORES = frozenset({"noise", "relative_noise", "blur", "shading"})


def image_scores(image: np.ndarray) -> dict[str, float]:
    """All scores by name; NaN where the image is too small or constant. Args: image: (*spatial), preprocessed."""
    image = without_padding(np.asarray(image, dtype=np.float32))
    if min(image.shape) < BLUR_WINDOW or np.ptp(image) == 0:
        return dict.fromkeys(sorted(IMAGE_SCORES), math.nan)
    grain = noise(image)
    # The second is what normalising to a standard deviation of 1 would leave: for images that a network normalises only later.
    relative = grain / float(image.std(dtype=np.float64))
    return {"noise": grain, "relative_noise": relative, "blur": blur(image), "shading": shading(image)}


def without_padding(image: np.ndarray) -> np.ndarray:
    """Cut border slices that repeat their neighbour exactly, as padding does: they would pass for less noise."""
    for axis in range(image.ndim):
        slices = np.moveaxis(image, axis, 0)
        first, last = 0, len(slices)
        while last - first > 1 and np.array_equal(slices[first], slices[first + 1]):
            first += 1
        while last - first > 1 and np.array_equal(slices[last - 1], slices[last - 2]):
            last -= 1
        image = np.moveaxis(slices[first:last], 0, axis)
    return image


def noise(image: np.ndarray) -> float:
    """Standard deviation of white noise, in the image's own unit.

    Second differences along every axis cancel structure that is smooth along any of them (Immerkaer 1996, here for any
    number of axes); the median of their size is not moved by what edges remain (Donoho and Johnstone 1994). Flat places
    are left out: masked air has no noise to measure.

    Args:
        image: (*spatial), at least 3 along every axis.
    """
    response = image
    for axis in range(image.ndim):
        response = np.diff(response, 2, axis=axis)  # the mask (1, -2, 1) has squared norm 6
    sizes = np.abs(response[response != 0])
    return float(np.median(sizes)) / (NORMAL_QUARTILE * 6 ** (image.ndim / 2)) if sizes.size else 0.0


def blur(image: np.ndarray) -> float:
    """How little further blurring changes, along the blurriest axis: 0 sharp, 1 blurred (Crete-Roffet et al. 2007)."""
    return float(blur_effect(image, h_size=BLUR_WINDOW))


def shading(image: np.ndarray) -> float:
    """Share of the variance that a linear ramp across the image explains, in [0, 1]: uneven light or receive field.

    R squared of the least squares fit; on a full grid the axes are orthogonal and their shares add.
    """
    explained = 0.0
    for axis, size in enumerate(image.shape):
        profile = image.mean(axis=tuple(other for other in range(image.ndim) if other != axis), dtype=np.float64)
        ramp = np.arange(size) - (size - 1) / 2
        explained += float(ramp @ profile) ** 2 / (float(ramp @ ramp) * size)
    return explained / float(image.var(dtype=np.float64))
