"""How much the masks of a study differ from one another."""

from __future__ import annotations

import numpy as np


def diversity(distance: np.ndarray) -> float:
    """Mean distance of two different masks: of the draws, which should come near that of the raters.

    Diversity rewards bad draws too: show it beside the energy distance only.

    Args:
        distance: (N, N), between masks of one set, 0 on the diagonal.

    Returns:
        in the distance's unit; NaN for one mask.

    Source: Monteiro et al. 2020, sample diversity.
    """
    pairs = len(distance) * (len(distance) - 1)
    return float(distance.sum() / pairs) if pairs else float("nan")
