"""Energy distance of a volume's slices, each a case of its own: what networks of slices are compared by."""

from __future__ import annotations

import numpy as np
import torch

from ..engine.labels import labels_of
from ..metrics.energy_distance import Form, energy_distance
from ..metrics.mask_distance import mask_distances


def slice_energy(samples: torch.Tensor, raters: torch.Tensor, form: Form = "V") -> float:
    """Mean over the slices on which some rater drew.

    Args:
        samples: probabilities of every draw, (draws, classes, x, y, slices).
        raters: their masks, (raters, x, y, slices), not 0 where a rater drew.
        form: see `energy_distance`.

    Returns:
        NaN where nobody drew.
    """
    draws, masks = labels_of(samples, axis=1).cpu().numpy() > 0, raters.cpu().numpy() > 0
    drawn = np.flatnonzero(masks.any(axis=(0, 1, 2)))
    energies = [energy_distance(mask_distances(draws[..., number], masks[..., number]), form) for number in drawn]
    return float(np.mean(energies)) if energies else float("nan")
