"""What a reducer may know of a study before the first block."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class StudyGrid:
    """The network grid of one study.

    Args:
        size: voxels per axis.
        classes: channels of the values.
        draws: how many draws there will be.
        element_size: length, area or volume of one grid element in `unit`, taken from the affine's determinant.
        unit: "mm", "mm2", "mm3" where the spacing is known, else "pixels" or "voxels" of the input's own grid.
        region: bool tensor of `size`, where the study is measured; None is everywhere.
        class_names: name of each class, background first.
        device: where values live.
    """

    size: tuple[int, ...]
    classes: int
    draws: int
    element_size: float
    unit: str
    region: torch.Tensor | None = None
    class_names: tuple[str, ...] = ()
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))


def element_of_grid(affine: Any, meta: Mapping[str, Any], dimensions: int) -> tuple[float, str]:
    """Size and unit of one grid element.

    Args:
        affine: (4, 4) or (1, 4, 4), grid index to mm, or to pixels of the input where no spacing is known.
        meta: holds "spacing_source", a name, or "" where no spacing is known.
        dimensions: 2 or 3.

    Returns:
        |det| of the affine's spatial part, and its unit.
    """
    matrix = np.asarray(affine, dtype=np.float64).reshape(4, 4)[:dimensions, :dimensions]
    source = meta.get("spacing_source", "")
    known = bool(source[0] if isinstance(source, list) else source)
    unknown_unit = "pixels" if dimensions == 2 else "voxels"
    return abs(float(np.linalg.det(matrix))), f"mm{dimensions}" if known else unknown_unit


def is_whole(halo: float) -> bool:
    """Whether a reducer asked for the whole study of each draw at once."""
    return math.isinf(halo)
