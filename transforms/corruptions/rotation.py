"""The patient, or the camera, is turned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation as Turn

from .corruption import SpatialCorruption


class Rotation(SpatialCorruption):
    """About the middle of the image: a volume about an axis of any direction, a picture clockwise as it is shown."""

    unit = "degrees"
    uses_spacing = True
    signed = True

    def positions(
        self, shape: Sequence[int], spacing: Sequence[float], strength: float, random: np.random.RandomState
    ) -> np.ndarray:
        """See `SpatialCorruption`."""
        axis = random.normal(size=3) if len(shape) == 3 else np.array([0.0, 0.0, 1.0])
        turn = Turn.from_rotvec(axis / np.linalg.norm(axis) * strength, degrees=True).as_matrix()[: len(shape), : len(shape)]
        matrix = turn * np.asarray(spacing) / np.asarray(spacing)[:, None]  # element to length, turned, back to element
        middle = (np.asarray(shape) - 1.0) / 2
        index = np.indices(shape, dtype=np.float64) - middle.reshape(-1, *[1] * len(shape))
        return np.tensordot(matrix, index, axes=1) + middle.reshape(-1, *[1] * len(shape))

    def landings(self, points: np.ndarray, source: np.ndarray) -> np.ndarray:
        """See `SpatialCorruption`. Exact, also beyond the border."""
        first = source.reshape(len(source), -1)[:, 0]
        steps = [source.take(-1, 1 + axis).reshape(len(source), -1)[:, 0] - first for axis in range(len(source))]
        matrix = np.stack(steps, axis=1) / (np.asarray(source.shape[1:]) - 1.0)
        return np.linalg.solve(matrix, (points - first).T).T
