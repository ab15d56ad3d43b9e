"""Dice of draws and raters: the best draw for each rater, and the mean of all against the mean of all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .frequency import frequency
from .overlap import dice
from .pairwise_iou import pairwise_iou


def best_dice(draws: np.ndarray, raters: np.ndarray, classes: Sequence[int] | None = None) -> np.ndarray:
    """Dice of the draw that comes nearest to each rater: is everyone's opinion among the draws?

    It can only rise with the number of draws, and wild draws do not lower it: show it beside the energy distance.

    Args:
        draws: (N, *spatial), bool or integer labels.
        raters: (M, *spatial), the same.
        classes: as in `pairwise_iou`.

    Returns:
        float64 (M,), 0 to 1: mean over classes for each draw (1 for a class in neither mask), then the best of the draws.

    Raises:
        ValueError: as `pairwise_iou`.

    Source: Dice is 2 J / (1 + J) of the IoU J.
    """
    iou = pairwise_iou(draws, raters, classes)
    return np.where(np.isnan(iou), 1, 2 * iou / (1 + iou)).mean(axis=0).max(axis=0)


def dice_of_means(
    draws: np.ndarray, raters: np.ndarray, classes: Sequence[int] | None = None, levels: Sequence[float] = (0.5,)
) -> float:
    """Dice of where enough draws mark a class with where enough raters do.

    Args:
        draws, raters, classes: as in `best_dice`.
        levels: share of the masks that is enough, in (0, 1]; the mean over levels is taken. One half is the majority of both;
            0.1, 0.2 to 0.9 are those of the QUBIQ challenge.

    Returns:
        0 to 1, mean over classes; two empty masks count 1.

    Raises:
        ValueError: as `pairwise_iou`, or the shapes do not fit.
    """
    predicted, observed = frequency(draws, classes), frequency(raters, classes)
    if predicted.shape != observed.shape:
        raise ValueError(f"draws and raters of {predicted.shape[1:]} and {observed.shape[1:]} cannot be compared")
    everywhere = np.ones(predicted.shape[1:], bool)
    pairs = list(zip(predicted, observed, strict=True))
    return float(np.mean([dice(p >= level, q >= level, everywhere) for p, q in pairs for level in levels]))
