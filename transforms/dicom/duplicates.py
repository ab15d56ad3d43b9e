"""Slices that lie at one place: copies, of which one is dropped, or slices in conflict, which are refused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from caveat.reasons import StudyRefused

from .frame import Frame
from .temporal import SAME_POSITION_MM
from .values import read_values


def without_copies(frames: Sequence[Frame], offsets: np.ndarray, positions: np.ndarray) -> list[int]:
    """Which slices remain where each place is to have one.

    Args:
        frames: in the order of their offsets.
        offsets: (n,) mm along the normal, ascending.
        positions: (n, 3) mm.

    Returns:
        Indices of those that are kept, ascending: of copies, the first.

    Raises:
        StudyRefused: DUPLICATE_POSITION; AMBIGUOUS_TEMPORAL where at least half of the places are taken twice.
    """
    kept, conflicts = [0], 0
    for index in range(1, len(frames)):
        last = kept[-1]
        if offsets[index] - offsets[last] >= SAME_POSITION_MM:
            kept.append(index)
        elif np.abs(positions[index] - positions[last]).max() >= SAME_POSITION_MM or not _equal(frames[last], frames[index]):
            conflicts += 1
    if conflicts:
        whole = conflicts > 1 and conflicts >= len(kept) / 2
        code = "AMBIGUOUS_TEMPORAL" if whole else "DUPLICATE_POSITION"
        raise StudyRefused(code, f"{conflicts} of {len(frames)} slices lie where another does")
    return kept


def _equal(first: Frame, second: Frame) -> bool:
    """Pixel for pixel, however they are stored."""
    values, _ = read_values([first, second])
    return bool(np.array_equal(values[..., 0], values[..., 1]))
