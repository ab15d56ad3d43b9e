"""Where a window lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Place:
    """A window's box on the padded network grid.

    Args:
        origin: first voxel, one int per axis.
        size: voxels per axis.
        study_size: voxels of the whole padded study per axis.
    """

    origin: tuple[int, ...]
    size: tuple[int, ...]
    study_size: tuple[int, ...]

    def stride(self, feature_size: Sequence[int]) -> tuple[int, ...]:
        """Voxels per feature along each axis, for a feature map of this window.

        Raises:
            ValueError: the window is no whole multiple of the feature map, or its origin none of the stride, so
                that features of two windows would not lie on one grid.
        """
        strides = []
        for origin, size, features in zip(self.origin, self.size, feature_size, strict=True):
            stride, rest = divmod(size, features)
            if rest or origin % stride:
                raise ValueError(f"features of size {features} do not lie on the study's grid: window of {size} at {origin}")
            strides.append(stride)
        return tuple(strides)

    def feature_coordinates(self, feature_size: Sequence[int], device: torch.device | None = None) -> list[torch.Tensor]:
        """Global coordinates of a feature map of this window: one int64 tensor per axis, shaped to broadcast."""
        strides = self.stride(feature_size)
        grids = []
        for axis, (origin, stride, features) in enumerate(zip(self.origin, strides, feature_size, strict=True)):
            shape = [1] * len(feature_size)
            shape[axis] = features
            grids.append(torch.arange(origin // stride, origin // stride + features, device=device).reshape(shape))
        return grids
