"""Which windows a study is cut into, and how much each counts: MONAI's arithmetic, in slabs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from monai.data.utils import compute_importance_map, dense_patch_slices
from monai.inferers.utils import _get_scan_interval
from monai.utils import BlendMode, ensure_tuple_rep, fall_back_tuple
from torch.nn import functional as F

from ...networks.draws.place import Place


@dataclass(frozen=True)
class WindowPlan:
    """The windows of one study.

    Args:
        size: voxels of the study per axis.
        padding: voxels added (before, after) per axis.
        slabs: places grouped by their first row, ascending; no window of a slab touches rows before its own first.
        importance: weight of each voxel of a window, of the window's size.
    """

    size: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    slabs: tuple[tuple[Place, ...], ...]
    importance: torch.Tensor

    @property
    def padded_size(self) -> tuple[int, ...]:
        """Voxels of the padded study per axis."""
        return tuple(n + before + after for n, (before, after) in zip(self.size, self.padding, strict=True))

    def pad(self, study: torch.Tensor) -> torch.Tensor:
        """Args: study: (1, C, *size). Returns: (1, C, *padded_size), zeros added."""
        amounts = [amount for pair in reversed(self.padding) for amount in pair]
        return F.pad(study, amounts) if any(amounts) else study

    def count(self) -> int:
        """Number of windows."""
        return sum(len(slab) for slab in self.slabs)


def plan_windows(
    size: Sequence[int],
    roi_size: Sequence[int],
    overlap: float | Sequence[float] = 0.25,
    blending: str = BlendMode.GAUSSIAN,
    sigma_scale: float = 0.125,
    align: int = 1,
    clip: bool = False,
) -> WindowPlan:
    """Cut a study into windows as `monai.inferers.sliding_window_inference` does.

    Args:
        size: voxels of the study per axis.
        roi_size: voxels of a window per axis; 0 or less is the whole axis.
        overlap: share of a window that the next one repeats, in [0, 1).
        blending: "gaussian" or "constant" importance.
        sigma_scale: of the Gaussian, in window sizes.
        align: window origins become multiples of it; the study is padded so that the last window's is one too.
        clip: a window larger than the study is cut down to it; otherwise the study is filled up with zeros, as in MONAI.

    Raises:
        ValueError: a window that is no multiple of `align`, or an overlap outside [0, 1).
    """
    size = tuple(int(n) for n in size)
    overlaps = ensure_tuple_rep(overlap, len(size))
    if any(not 0 <= share < 1 for share in overlaps):
        raise ValueError(f"overlap must be in [0, 1), got {overlap}")
    roi = fall_back_tuple(roi_size, size)
    roi = tuple(min(window, extent) for window, extent in zip(roi, size, strict=True)) if clip else roi
    if any(n % align for n in roi):
        raise ValueError(f"window size {tuple(roi)} is no multiple of {align}, the grid that the sampler's noise lies on")
    padding = tuple(_padding(n, window, align) for n, window in zip(size, roi, strict=True))
    padded = tuple(n + sum(pair) for n, pair in zip(size, padding, strict=True))
    interval = _get_scan_interval(padded, roi, len(size), overlaps)
    interval = tuple(max(align, step - step % align) for step in interval)
    boxes = dense_patch_slices(padded, roi, interval)
    places = [Place(tuple(axis.start for axis in box), tuple(roi), padded) for box in boxes]
    slabs = groupby(sorted(places, key=lambda place: place.origin), key=lambda place: place.origin[0])
    importance = compute_importance_map(tuple(roi), mode=blending, sigma_scale=sigma_scale).float()
    return WindowPlan(size, padding, tuple(tuple(slab) for _, slab in slabs), importance)


def _padding(size: int, window: int, align: int) -> tuple[int, int]:
    """A study smaller than the window is centred in it, as in MONAI; one that leaves a rest of `align` grows behind."""
    if size < window:
        missing = window - size
        return missing // 2, missing - missing // 2
    return 0, math.ceil((size - window) / align) * align - (size - window)
