"""Slices that lie at one place: copies, of which one is dropped, or slices in conflict, which are refused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from caveat.reasons import StudyRefused

from .frame import Frame
from .temporal import SAME_POSITION_MM
from .values import value_digests


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
    kept, pairs, conflicts = [0], [], 0
    for index in range(1, len(frames)):
        last = kept[-1]
        if offsets[index] - offsets[last] >= SAME_POSITION_MM:
            kept.append(index)
        elif np.abs(positions[index] - positions[last]).max() >= SAME_POSITION_MM:
            conflicts += 1
        else:
            pairs.append((last, index))
    conflicts += _different(frames, pairs)
    if conflicts:
        whole = conflicts > 1 and conflicts >= len(kept) / 2
        code = "AMBIGUOUS_TEMPORAL" if whole else "DUPLICATE_POSITION"
        raise StudyRefused(code, f"{conflicts} of {len(frames)} slices lie where another does")
    return kept


def _different(frames: Sequence[Frame], pairs: Sequence[tuple[int, int]]) -> int:
    """How many of some pairs of slices differ in any pixel, however they are stored."""
    involved = sorted({index for pair in pairs for index in pair})
    if not involved:
        return 0
    digests = dict(zip(involved, value_digests([frames[index] for index in involved]), strict=True))
    return sum(digests[first] != digests[second] for first, second in pairs)
