"""Where the source and the pixels of a detector stand around a body."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ConeBeam:
    """One view. Space is in mm, its origin in the middle of the volume, its axes LPS: to the left, the back and the head.

    Args:
        rotation_deg: about the axis to the head; 0 has the source in front of the body, 90 at its right.
        tilt_deg: of the central ray, upward from source to detector.
        shape: rows and columns of the detector; row 0 lies towards the head.
        pitch_mm: of its pixels.
        source_to_axis_mm, source_to_detector_mm: along the central ray.
    """

    rotation_deg: float
    tilt_deg: float
    shape: tuple[int, int]
    pitch_mm: float
    source_to_axis_mm: float = 950.0
    source_to_detector_mm: float = 1100.0

    @property
    def central_ray(self) -> np.ndarray:
        """Unit vector from the source to the detector, (3,)."""
        rotation, tilt = math.radians(self.rotation_deg), math.radians(self.tilt_deg)
        return np.array([math.sin(rotation) * math.cos(tilt), math.cos(rotation) * math.cos(tilt), math.sin(tilt)])

    @property
    def along_columns(self) -> np.ndarray:
        """Unit vector from a pixel to the next of its row, (3,)."""
        rotation = math.radians(self.rotation_deg)
        return np.array([math.cos(rotation), -math.sin(rotation), 0.0])

    @property
    def along_rows(self) -> np.ndarray:
        """Unit vector from a pixel to the next of its column, downward, (3,)."""
        return np.cross(self.central_ray, self.along_columns)

    @property
    def source(self) -> np.ndarray:
        """Position of the focal spot, mm, (3,)."""
        return -self.source_to_axis_mm * self.central_ray

    @property
    def magnification(self) -> float:
        """Of what lies on the axis of rotation."""
        return self.source_to_detector_mm / self.source_to_axis_mm

    def pixels(self) -> np.ndarray:
        """Middles of the detector's pixels, mm, (rows, columns, 3)."""
        rows, columns = ((np.arange(count) - (count - 1) / 2) * self.pitch_mm for count in self.shape)
        middle = self.source + self.source_to_detector_mm * self.central_ray
        return middle + rows[:, None, None] * self.along_rows + columns[:, None] * self.along_columns

    def path_in_box(self, size_mm: np.ndarray) -> np.ndarray:
        """How far each ray runs inside a box around the origin. Args: size_mm: (3,). Returns: mm, (rows, columns)."""
        rays = self.pixels() - self.source
        rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
        rays = np.where(np.abs(rays) < 1e-12, 1e-12, rays)
        ends = np.stack([(side * np.asarray(size_mm) / 2 - self.source) / rays for side in (-1, 1)])
        return np.maximum(ends.max(axis=0).min(axis=-1) - ends.min(axis=0).max(axis=-1), 0.0)
