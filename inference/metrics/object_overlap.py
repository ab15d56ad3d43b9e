"""How well two ways to tell the objects of one picture apart agree."""

from __future__ import annotations

import numpy as np


def object_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """IoU of every object of one with every object of the other.

    Args:
        first, second: int (*spatial), 0 outside, objects numbered from 1 without a gap.

    Returns:
        float64 (objects of the first, of the second).
    """
    shared = shared_elements(first, second)
    both = shared[1:, 1:]
    return both / (shared.sum(axis=1)[1:, None] + shared.sum(axis=0)[None, 1:] - both)


def shared_elements(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Elements that an object of the one shares with one of the other, the ground in row and column 0. Args: see `object_iou`."""
    rows, columns = int(first.max(initial=0)) + 1, int(second.max(initial=0)) + 1
    pairs = first.ravel().astype(np.int64) * columns + second.ravel()
    return np.bincount(pairs, minlength=rows * columns).reshape(rows, columns)


def average_precision(iou: np.ndarray, threshold: float) -> float:
    """Matched objects of all that either has, TP / (TP + FP + FN): what the Data Science Bowl 2018 calls precision.

    Args:
        iou: (truths, found). threshold: at least 0.5, above which no object has two matches.

    Returns:
        1 where there is nothing to find and nothing was found.

    Raises:
        ValueError: a threshold below 0.5.

    Source: Caicedo et al. 2019, Nature Methods 16:1247.
    """
    if threshold < 0.5:
        raise ValueError(f"below 0.5 an object may match two others, got {threshold}")
    matched = int((iou > threshold).sum())
    every = sum(iou.shape) - matched
    return matched / every if every else 1.0


def aggregated_jaccard(truth: np.ndarray, found: np.ndarray) -> float:
    """Each truth with the object of largest IoU: sum of what they share over the sum of what either has and of what is left over.

    Args:
        truth, found: see `object_iou`.

    Returns:
        1 where neither has an object.

    Source: Kumar et al. 2017, IEEE TMI 36:1550, algorithm 1.
    """
    shared = shared_elements(truth, found)
    true_areas, found_areas = shared.sum(axis=1)[1:], shared.sum(axis=0)[1:]
    both = shared[1:, 1:]
    if not both.size:
        return float(not true_areas.size and not found_areas.size)
    iou = both / (true_areas[:, None] + found_areas[None] - both)
    best = iou.argmax(axis=1)
    hit = iou.max(axis=1) > 0
    common = both[np.arange(len(best)), best] * hit
    unused = np.setdiff1d(np.arange(len(found_areas)), best[hit])
    union = (true_areas + found_areas[best] * hit - common).sum() + found_areas[unused].sum()
    return float(common.sum() / union)
