"""The mask of every draw, one bit an element, until all of them are known; and what is stated of a piece of the reported one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class KeptMasks:
    """Args: draws: how many. size: of the study, elements per axis, rows first."""

    def __init__(self, draws: int, size: Sequence[int]) -> None:
        rows, *others = size
        self.size = tuple(size)
        self._bits = np.zeros((draws, rows, (int(np.prod(others)) + 7) // 8), np.uint8)

    def __len__(self) -> int:
        return len(self._bits)

    def put(self, draw: int, rows: slice, mask: np.ndarray) -> None:
        """Args: draw: index. mask: bool (rows, *other axes)."""
        self._bits[draw, rows] = np.packbits(mask.reshape(len(mask), -1), axis=1)

    def mask(self, draw: int) -> np.ndarray:
        """Returns: bool (*size)."""
        flat = np.unpackbits(self._bits[draw], axis=1, count=int(np.prod(self.size[1:])))
        return flat.reshape(self.size).astype(bool)


def piece_state(unit: str, value: float, in_draws: Sequence[float], centre: Sequence[float]) -> dict[str, Any]:
    """An entry of `lesions`.

    Args:
        unit, value: of the reported piece. in_draws: its value in each draw, 0 where the draw has none of it. centre: index.
    """
    values = [float(one) for one in in_draws]
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {
        "unit": unit,
        "value": value,
        "existence": float(np.mean(np.array(values) > 0)),
        "draws": {"n": len(values), "mean": float(np.mean(values)), "sd": deviation, "values": values},
        "centre": [float(index) for index in centre],
    }
