"""Bone, soft tissue and open beam without a network: edges, thresholds and morphology, by scikit-image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from skimage.filters import sobel
from skimage.morphology import closing, disk, opening, remove_small_objects
from skimage.segmentation import watershed

BEAM_LEVELS, BONE_CONTRASTS = (0.15, 0.25, 0.35, 0.45), (0.3, 0.6, 0.9, 1.2)
"""Grid that is searched: grey level in the field below which the beam is open, and local contrast above which it is bone."""
MARGIN = 0.1
SMALLEST = 60
"""Pixels of a bone."""


@dataclass(frozen=True)
class Example:
    """One preprocessed image. Args: image: level, local contrast and field, (3, rows, columns); labels: (rows, columns)."""

    image: np.ndarray
    labels: np.ndarray


def segment(image: np.ndarray, beam_level: float, bone_contrast: float) -> np.ndarray:
    """Watershed of the edges from what thresholds are sure of, then bone opened, closed and rid of specks.

    Args:
        image: level, local contrast and field, (3, rows, columns).

    Returns:
        class numbers, (rows, columns).
    """
    level, contrast, field = image
    inside = field > 0.5
    markers = np.zeros(level.shape, np.int32)
    markers[inside & (level > beam_level + MARGIN) & (contrast < bone_contrast - MARGIN)] = 2
    markers[inside & (level > beam_level + MARGIN) & (contrast > bone_contrast + MARGIN)] = 3
    markers[inside & (level < beam_level - MARGIN)] = 1
    found = watershed(sobel(level) + sobel(contrast) / 4, markers, mask=inside)
    bone = remove_small_objects(closing(opening(found == 3, disk(1)), disk(3)), max_size=SMALLEST)
    out = np.where(bone & (found != 1), 3, np.where(found == 3, 2, found))
    return np.where(inside, np.maximum(out, 1), 0)


def choose(examples: Sequence[Example]) -> tuple[float, float]:
    """The thresholds of the highest accuracy in the true fields. Args: examples: of bodies that are not tested."""

    def accuracy(pair: tuple[float, float]) -> float:
        return float(np.mean([_accuracy(segment(one.image, *pair), one.labels) for one in examples]))

    return max(product(BEAM_LEVELS, BONE_CONTRASTS), key=accuracy)


def _accuracy(found: np.ndarray, truth: np.ndarray) -> float:
    return float((found == truth)[truth > 0].mean())
