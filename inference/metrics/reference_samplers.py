"""Samplers that know the raters: the floor a perfect one reaches, and simple ones that a network should beat."""

from __future__ import annotations

import numpy as np


def reference_draws(raters: np.ndarray, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Draws of each, to be scored like a network's: rows of the same table.

    Args:
        raters: (M, *spatial), bool or integer labels.
        draws: how many of each.
        seed: of the raters chosen; give each study its own, or all choose alike.

    Returns:
        by name, (draws, *spatial) each, of the raters' type, not to be written to. "one rater repeated" is one chosen
        at random; its expected energy distance in form V is the raters' mean distance, pairs with themselves included.
    """
    repeated = {
        "one rater": resampled(raters, 1, seed)[0],
        "majority (>= half)": agreed(raters, votes=(len(raters) + 1) // 2),
        "union": agreed(raters, votes=1),
        "intersection": agreed(raters, votes=len(raters)),
        "empty": np.zeros_like(raters[0]),
    }
    rows = {f"{name} repeated": np.broadcast_to(mask, (draws, *mask.shape)) for name, mask in repeated.items()}
    return {"raters resampled": resampled(raters, draws, seed)} | rows


def resampled(raters: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Raters drawn with replacement: a perfect sampler. Args: as `reference_draws`. Returns: (draws, *spatial)."""
    return raters[np.random.default_rng(seed).integers(len(raters), size=draws)]


def agreed(raters: np.ndarray, votes: int) -> np.ndarray:
    """What at least so many raters agree on: 1 for the union, all for the intersection.

    Args:
        raters: (M, *spatial), bool or integer labels.
        votes: 1 to M.

    Returns:
        (*spatial), the most frequent class but the background, the lower of two; 0 where it has fewer votes.
    """
    labels = np.unique(raters[raters != 0])
    if not labels.size:
        return np.zeros_like(raters[0])
    counts = np.stack([(raters == label).sum(axis=0) for label in labels])
    return np.where(counts.max(axis=0) >= votes, labels[counts.argmax(axis=0)], 0).astype(raters.dtype)
