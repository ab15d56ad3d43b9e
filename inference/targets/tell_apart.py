"""Objects of a mask, told apart where they touch: by a watershed in the measure of the picture's own objects."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage
from skimage.morphology import h_maxima
from skimage.segmentation import expand_labels, watershed

from .piece import touching

DEPTH, SMOOTHING = 0.05, 0.16
"""Of the saddle between two objects, and of the distance map, in radii of the typical piece."""
SMALLEST = 0.05
"""Share of the area of a disc, or the volume of a ball, of that radius, below which something is debris."""
SPECK = 20
"""Elements up to which a piece says nothing where there are larger ones: no biologist outlined a smaller nucleus than 21."""
GAP = 2
"""Pixels of a seam between two objects: what networks leave open where they touch."""


def tell_apart(mask: np.ndarray) -> np.ndarray:
    """Objects numbered from 1, 0 outside. Of an empty mask none.

    Peaks of the distance to the ground are objects where the saddle between them is deep enough. All lengths are in radii of the
    typical piece: one picture has nuclei of 70 pixels, another of 1 800. Of debris nothing is left; seams between two objects
    become part of the nearer one.

    Args:
        mask: bool (*spatial).

    Returns:
        int32, same shape.

    Source: Vincent and Soille 1991 (watershed); Soille 2003 (h-maxima); the measures were chosen on training images of nuclei.
    """
    pieces = _of_at_least(SPECK + 1, ndimage.label(mask)[0])
    if not pieces.any():
        return np.zeros(mask.shape, np.int32)
    depth = ndimage.distance_transform_edt(pieces > 0)
    radius = _typical_radius(pieces, depth)
    smallest = SMALLEST * radius**mask.ndim * math.pi ** (mask.ndim / 2) / math.gamma(mask.ndim / 2 + 1)
    return _with_seams(_of_at_least(smallest, _parted(depth, radius))).astype(np.int32)


def at_border(objects: np.ndarray) -> np.ndarray:
    """Numbers of the objects that the picture's border cuts. Args: objects: of `tell_apart`."""
    edges = np.concatenate([objects.take((0, -1), axis).ravel() for axis in range(objects.ndim)])
    return np.unique(edges[edges > 0])


def _parted(depth: np.ndarray, radius: float) -> np.ndarray:
    """Objects of a mask. Args: depth: distance to the ground. radius: of the typical object."""
    mask = depth > 0
    smooth = ndimage.gaussian_filter(depth, SMOOTHING * radius) * mask
    peaks = ndimage.label(h_maxima(smooth, DEPTH * radius), touching(mask.ndim))[0]
    return watershed(-smooth, peaks, mask=mask)


def _typical_radius(pieces: np.ndarray, depth: np.ndarray) -> float:
    """Median radius of the largest ball in each piece, a piece weighing as many radii as balls fill it.

    So a hundred that touch weigh a hundred times as much as one; specks, however many, and a glow, however large, weigh little.

    Args:
        pieces: numbered from 1. depth: distance to the ground.
    """
    numbers = np.arange(1, int(pieces.max()) + 1)
    radii = ndimage.maximum(depth, pieces, numbers)
    order = np.argsort(radii)
    up_to = (np.bincount(pieces.ravel())[1:] / radii ** (pieces.ndim - 1))[order].cumsum()
    return float(radii[order][np.searchsorted(up_to, up_to[-1] / 2)])


def _of_at_least(elements: float, objects: np.ndarray) -> np.ndarray:
    """The objects that have so many, numbered anew; all of them where none has."""
    kept = np.bincount(objects.ravel(), minlength=1)[1:] >= elements
    return np.concatenate([[0], np.cumsum(kept) * kept])[objects] if kept.any() else objects


def _with_seams(objects: np.ndarray) -> np.ndarray:
    """Ground within reach of two objects, given to the nearer one."""
    size = 2 * GAP + 1
    highest = ndimage.maximum_filter(objects, size)
    lowest = ndimage.minimum_filter(np.where(objects > 0, objects, objects.max() + 1), size)
    return np.where((objects == 0) & (lowest < highest), expand_labels(objects, GAP), objects)
