"""Intersection over union of every mask with every other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

CHUNK = 1 << 20
"""Elements multiplied at once: float32 counts whole numbers exactly up to 2^24."""


def pairwise_iou(first: np.ndarray, second: np.ndarray, classes: Sequence[int] | None = None) -> np.ndarray:
    """IoU of each mask of one set with each of another, class by class.

    Args:
        first: (N, *spatial), bool or integer labels, 0 the background.
        second: (M, *spatial), the same.
        classes: labels that are compared, others are background; None for masks of one structure: whatever is not 0.

    Returns:
        float64 (classes, N, M), 0 to 1; NaN where the class is in neither mask.

    Raises:
        ValueError: the shapes do not fit, a set is empty, labels are no whole numbers, or 0 is among the classes.

    Source: Jaccard 1912.
    """
    first, second, classes = _flat(first, second, classes)
    used = first.any(axis=0) | second.any(axis=0)  # elsewhere all agree on the background, which does not count
    first, second = first[:, used], second[:, used]
    return np.stack([_iou(first == label, second == label) for label in classes])


def class_masks(masks: np.ndarray, classes: Sequence[int] | None) -> tuple[np.ndarray, tuple[int, ...]]:
    """Labels, and the classes to look for in them.

    Args:
        masks: (N, *spatial), bool or integer labels.
        classes: as in `pairwise_iou`.

    Returns:
        (N, *spatial) with the labels, or for None with 1 where a mask is not 0; the classes.

    Raises:
        ValueError: as `pairwise_iou`.
    """
    masks = np.asarray(masks)
    if masks.ndim < 2 or not masks.size or masks.dtype.kind not in "bui":
        raise ValueError(f"masks of whole numbers expected, (masks, *spatial): got {masks.shape}, {masks.dtype}")
    if classes is None:
        return (masks != 0).view(np.uint8), (1,)
    if not classes or 0 in classes:
        raise ValueError(f"{len(classes)} classes; at least one expected, and not 0, the background")
    return masks, tuple(classes)


def _flat(first: np.ndarray, second: np.ndarray, classes: Sequence[int] | None) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """Both sets as (masks, elements), and the classes. Raises: ValueError: as `pairwise_iou`."""
    (first, labels), (second, _) = class_masks(first, classes), class_masks(second, classes)
    if first.shape[1:] != second.shape[1:]:
        raise ValueError(f"masks of {first.shape[1:]} and {second.shape[1:]} cannot be compared")
    return first.reshape(len(first), -1), second.reshape(len(second), -1), labels


def _iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """IoU of one class. Args: first, second: bool (N, elements), (M, elements). Returns: (N, M); NaN for two empty masks."""
    both = np.zeros((len(first), len(second)))
    for start in range(0, first.shape[1], CHUNK):
        part = slice(start, start + CHUNK)
        both += first[:, part].astype(np.float32) @ second[:, part].astype(np.float32).T
    either = first.sum(axis=1)[:, None] + second.sum(axis=1)[None] - both
    return np.divide(both, either, out=np.full_like(both, np.nan), where=either > 0)
