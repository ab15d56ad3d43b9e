"""From out-of-fold probabilities and labels to a threshold record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

THRESHOLDS = tuple(round(step / 100, 2) for step in range(99)) + tuple(round(0.99 + step / 1000, 3) for step in range(11))
"""Ascending to 1, finer at the strict end; a probability is never above the last."""


@dataclass(frozen=True)
class OutOfFold:
    """One image as the network saw it that its unit did not train.

    Args:
        unit: such as the body.
        probability: of the class, any shape.
        labels: class numbers, the same shape.
    """

    unit: str
    probability: np.ndarray
    labels: np.ndarray


def false_share(image: OutOfFold, class_index: int, others: Sequence[int]) -> np.ndarray:
    """Pixels above each threshold that are not of the class, over pixels of the other classes that count; at most 1.

    Args:
        others: classes whose pixels count below the line. False pixels of any class count above it.

    Returns:
        falling, one a threshold.

    Raises:
        ValueError: no pixel counts.
    """
    base = int(np.isin(image.labels, others).sum())
    if not base:
        raise ValueError("no pixel of the other classes: the share is not defined")
    false = np.sort(image.probability[image.labels != class_index])
    above = len(false) - np.searchsorted(false, THRESHOLDS, side="right")
    return np.minimum(above / base, 1.0)


def fold_losses(images: Iterable[OutOfFold], class_index: int, others: Sequence[int], bound: float) -> tuple[float, ...]:
    """Mean over one fold's units of their capped loss; that of a unit is the mean over its images. Returns: one a threshold."""
    by_unit: dict[str, list[np.ndarray]] = {}
    for image in images:
        by_unit.setdefault(image.unit, []).append(false_share(image, class_index, others))
    return tuple(np.mean([np.minimum(np.mean(shares, axis=0), bound) for shares in by_unit.values()], axis=0).tolist())


def units_of(folds: Mapping[int, Sequence[OutOfFold]]) -> int:
    """Units of all folds. Raises: ValueError: folds of different size, which are not exchangeable, or a unit in two of them."""
    units = [{image.unit for image in images} for images in folds.values()]
    count = len(set().union(*units))
    if len({len(found) for found in units}) > 1 or count < sum(map(len, units)):
        raise ValueError("folds must have equally many units, and no unit may stand in two")
    return count
