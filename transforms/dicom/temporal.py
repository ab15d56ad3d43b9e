"""Several volumes in one series, at the same places or between each other's: phases, echoes, b-values, magnitude and phase."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from .frame import Frame
from .volume_keys import NUMBERING, SEPARATING, STACK

SAME_POSITION_MM = 0.01
Volume = tuple[Frame, ...]


def volumes_of(frames: Sequence[Frame]) -> list[Volume]:
    """The volumes that one stack of slices holds.

    What cannot differ within one volume separates them wherever they lie; the rest only where positions repeat, by the fewest
    keys of `Frame.stack` that do it.

    Returns:
        One volume where nothing tells several apart, even where positions repeat: then two of its slices are in conflict.
    """
    apart = [key for key in range(len(SEPARATING)) if _tells_volumes(frames, key)]
    return [volume for part in _parts(frames, apart) for volume in _by_keys(part)]


def repeated_positions(frames: Sequence[Frame]) -> int:
    """How many slices lie where another one does, along the normal of the first."""
    orientation = frames[0].orientation
    if orientation is None or any(frame.position is None or frame.orientation is None for frame in frames):
        return 0
    normal = np.cross(*np.reshape(orientation, (2, 3)))
    offsets = np.sort(np.array([frame.position for frame in frames]) @ normal)
    return int((np.diff(offsets) < SAME_POSITION_MM).sum())


def _tells_volumes(frames: Sequence[Frame], key: int) -> bool:
    """Whether a key has several values, and not one of its own for every slice, which would number them."""
    counts = Counter(frame.stack[key] for frame in frames)
    return len(counts) > 1 and (key == STACK or max(counts.values()) > 1)


def _by_keys(frames: Volume) -> list[Volume]:
    if repeated_positions(frames) == 0:
        return [frames]
    every = range(len(SEPARATING) + len(NUMBERING))
    varying = [key for key in every if len({frame.stack[key] for frame in frames}) > 1]
    for count in range(1, len(varying) + 1):
        for keys in itertools.combinations(varying, count):
            parts = list(_parts(frames, keys))
            if all(len(part) > 1 and repeated_positions(part) == 0 for part in parts):
                return parts
    return [frames]


def _parts(frames: Sequence[Frame], keys: Sequence[int]) -> Iterator[Volume]:
    """Frames that agree in these keys, in the order of their values: numbers by size."""
    parts: dict[tuple[str, ...], list[Frame]] = defaultdict(list)
    for frame in frames:
        parts[tuple(frame.stack[key] for key in keys)].append(frame)
    for values in sorted(parts, key=lambda values: [_by_size(value) for value in values]):
        yield tuple(parts[values])


def _by_size(value: str) -> tuple[float, str]:
    try:
        return float(value), ""
    except ValueError:
        return float("inf"), value
