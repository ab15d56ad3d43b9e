"""What the draws look at: lines round what most of them have among the strongest evidence, and round what only some have."""

from __future__ import annotations

import numpy as np

from .outlines import draw_parts

MOST, SOME = 0.8, 0.2
"""Shares of the draws."""
MOST_COLOUR, SOME_COLOUR = "#ffffff", "#56b4e9"
LEGEND = (
    (MOST_COLOUR, f"at least {MOST:.0%} of the draws look here".replace("%", " %")),
    (SOME_COLOUR, f"at least {SOME:.0%} do".replace("%", " %")),
)
"""Colours, and what they mean."""


def draw_evidence(share: np.ndarray, size: tuple[int, int], width: float) -> np.ndarray:
    """Args: share: of the draws that look at a place, (rows, columns). size: of the drawing. width: of lines, pixels.

    Returns:
        uint8 (*size, 4).
    """
    cut = np.where(share >= MOST, 2, np.where(share >= SOME, 1, 0)).astype(np.uint8)
    inner = draw_parts((cut == 2).astype(np.uint8), {1: MOST_COLOUR}, size, width)
    outer = draw_parts((cut >= 1).astype(np.uint8), {1: SOME_COLOUR}, size, width)
    return np.where(inner[..., 3:] > 0, inner, outer)
