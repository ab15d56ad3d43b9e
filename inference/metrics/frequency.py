"""How often an element is marked: by the draws, predicted; by the raters, observed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .pairwise_iou import class_masks


def frequency(masks: np.ndarray, classes: Sequence[int] | None = None) -> np.ndarray:
    """Share of the masks that give an element a class.

    Args:
        masks: (N, *spatial), bool or integer labels: draws or raters.
        classes: as in `pairwise_iou`.

    Returns:
        float64 (classes, *spatial), 0 to 1. Of raters it stands for `correct` in the calibration errors, where the draws'
        is the `confidence`.

    Raises:
        ValueError: as `pairwise_iou`.
    """
    masks, classes = class_masks(masks, classes)
    return np.stack([(masks == label).sum(axis=0) / len(masks) for label in classes])


def frequency_table(predicted: np.ndarray, observed: np.ndarray, bins: int = 10) -> np.ndarray:
    """Elements by predicted frequency, and what the raters did there.

    Args:
        predicted, observed: one shape, 0 to 1, chosen to a region by the caller, whose name belongs to the figure's.
        bins: of equal width on (0, 1], closed on the right; 0 itself belongs to the first.

    Returns:
        float64 (bins, 3): number of elements, sum of predicted, sum of observed. Tables of studies add up; the means are
        the sums over the number.

    Raises:
        ValueError: the shapes differ.
    """
    if predicted.shape != observed.shape:
        raise ValueError(f"predicted {predicted.shape}, observed {observed.shape}")
    predicted, observed = predicted.ravel(), observed.ravel()
    bin_of = np.digitize(predicted, np.linspace(0, 1, bins + 1)[1:-1], right=True)
    columns = (None, predicted, observed)
    return np.stack([np.bincount(bin_of, weights, minlength=bins) for weights in columns], axis=1)
