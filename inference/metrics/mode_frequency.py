"""Modes of a distribution over masks whose probabilities are known: are they drawn as often as they occur?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def flip_modes(labels: np.ndarray, flips: Sequence[tuple[int, int, float]]) -> tuple[np.ndarray, np.ndarray]:
    """All readings of a label map in which some classes flip to another, each on its own.

    Args:
        labels: (*spatial), integer, as it is where nothing flips.
        flips: (class, class it becomes, probability) of each; the second must not be in `labels`, nor become a third.

    Returns:
        modes: (2^flips, *spatial); the last flip changes fastest, the first mode is unflipped.
        probability: (2^flips,), sums to 1.

    Raises:
        ValueError: a class that others become is in the map already.

    Source: Kohl et al. 2018, section 4.2: five classes of Cityscapes, 32 modes.
    """
    if np.isin(labels, [alternative for _, alternative, _ in flips]).any():
        raise ValueError("a class that others become is in the map already")
    modes, probability = labels[None], np.ones(1)
    for original, alternative, flipped in flips:
        both = np.stack([modes, np.where(modes == original, alternative, modes)], axis=1)
        modes = both.reshape(-1, *labels.shape).astype(labels.dtype)
        probability = np.outer(probability, [1 - flipped, flipped]).ravel()
    return modes, probability


def mode_frequency(to_modes: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Share of the draws that are nearest to each mode.

    Args:
        to_modes: (N, modes), distance of each draw to each mode, as `mask_distance` gives it.
        probability: (modes,), true; a draw as near to several modes (that differ in a class the image lacks) is shared
            between them in this proportion, so that the mean over images of a perfect sampler is this too.

    Returns:
        (modes,), sums to 1. Over images: the mean.

    Raises:
        ValueError: the shapes do not fit, a distance is NaN, or a mode has no probability.
    """
    if to_modes.shape[1:] != probability.shape or np.isnan(to_modes).any() or not (probability > 0).all():
        raise ValueError(f"distances {to_modes.shape} without NaN and probabilities {probability.shape} above 0 expected")
    share = np.isclose(to_modes, to_modes.min(axis=1, keepdims=True), rtol=0, atol=1e-12) * probability
    return (share / share.sum(axis=1, keepdims=True)).mean(axis=0)


def total_variation(predicted: np.ndarray, true: np.ndarray) -> float:
    """Half the sum of |predicted - true| over modes: the share of the draws that would have to be other ones.

    N draws of a perfect sampler have about sum sqrt(p (1 - p) / (2 pi N)), not 0.

    Args:
        predicted, true: (modes,), each sums to 1.

    Returns:
        0 to 1, 0 is best.
    """
    return float(np.abs(predicted - true).sum() / 2)


def flip_frequency(draws: np.ndarray, original: int, alternative: int) -> float:
    """Share of the elements labelled with either class that have the one it flips to.

    Args:
        draws: (N, *spatial), integer labels.
        original, alternative: the two classes.

    Returns:
        0 to 1, to be compared with the flip's probability; NaN where neither class is drawn.

    Source: Kohl et al. 2018, figure of pixel-wise frequencies.
    """
    flipped, kept = int((draws == alternative).sum()), int((draws == original).sum())
    return flipped / (flipped + kept) if flipped + kept else float("nan")
