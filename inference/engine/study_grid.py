"""What a reducer may know of a study before the first block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from caveat.reasons import StudyRefused


@dataclass(frozen=True)
class GridElement:
    """One pixel or voxel of a grid.

    Args:
        size: its area or volume in `unit`.
        unit: "mm2" or "mm3" where the spacing is known, else "pixels" or "voxels" of the input's own grid.
        spacing: its sides in `length_unit`, one an axis of the grid; none where only sizes are asked for.
    """

    size: float
    unit: str
    spacing: tuple[float, ...] = ()

    @property
    def dimensions(self) -> int:
        """2 or 3."""
        return 2 if self.unit in ("mm2", "pixels") else 3

    @property
    def length_unit(self) -> str:
        """Unit of a length: "mm" where the spacing is known, else "pixels" or "voxels"."""
        return "mm" if self.unit in ("mm2", "mm3") else self.unit


@dataclass(frozen=True)
class StudyGrid:
    """The network grid of one study.

    Args:
        size: elements per axis.
        classes: channels of the values.
        draws: how many draws there will be.
        element: size and unit of one element.
        region: bool tensor of `size`, where the study is measured; None is everywhere.
        independent: whether each class stands for itself (link sigmoid).
        device: where values live.
    """

    size: tuple[int, ...]
    classes: int
    draws: int
    element: GridElement
    region: torch.Tensor | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    independent: bool = False

    @property
    def overlapping(self) -> bool:
        """Whether an element may belong to several structures."""
        return self.independent and self.classes > 2


def element_of_grid(affine: Any, meta: Mapping[str, Any], dimensions: int) -> GridElement:
    """Size and unit of one grid element.

    Args:
        affine: (4, 4) or (1, 4, 4), grid index to mm, or to pixels of the input where no spacing is known.
        meta: holds "spacing_source", a name, or "" where no spacing is known.
        dimensions: 2 or 3.

    Raises:
        StudyRefused: SPACING_WITHOUT_SOURCE, of a MetaTensor that another loader made: its affine has lengths, and whether they
            are mm nobody says.
    """
    matrix = np.asarray(affine, dtype=np.float64).reshape(4, 4)[:dimensions, :dimensions]
    if "spacing_source" not in meta and not np.allclose(np.linalg.norm(matrix, axis=0), 1.0):
        raise StudyRefused("SPACING_WITHOUT_SOURCE")
    known = spacing_is_known(meta)
    unknown_unit = "pixels" if dimensions == 2 else "voxels"
    size = float(f"{abs(np.linalg.det(matrix)):.12g}")  # 0.5 * 0.25 is 0.125, without the rounding of an elimination
    spacing = tuple(float(f"{length:.12g}") for length in np.linalg.norm(matrix, axis=0))
    return GridElement(size, f"mm{dimensions}" if known else unknown_unit, spacing)


def spacing_of_grid(affine: Any, meta: Mapping[str, Any], dimensions: int) -> list[float] | None:
    """Distance of neighbouring elements per axis, in mm to 1e-4; None where no spacing is known. Args: see `element_of_grid`."""
    matrix = np.asarray(affine, dtype=np.float64).reshape(4, 4)[:dimensions, :dimensions]
    return [round(float(length), 4) for length in np.linalg.norm(matrix, axis=0)] if spacing_is_known(meta) else None


def place_in_world(index: Sequence[float], affine: Any) -> list[float]:
    """Where a place of a grid lies, in mm, or in elements of the input where no spacing is known.

    Of volumes towards right, anterior and superior, from the origin that the file states; of pictures along rows and columns.

    Args:
        index: (axes,) on the grid. affine: (4, 4) or (1, 4, 4), of the grid.
    """
    matrix, axes = np.asarray(affine, dtype=np.float64).reshape(4, 4), len(index)
    return (matrix[:axes, :axes] @ np.asarray(index) + matrix[:axes, -1]).tolist()


def spacing_is_known(meta: Mapping[str, Any]) -> bool:
    """Whether the study's file or its user states a spacing."""
    source = meta.get("spacing_source", "")
    return bool(source[0] if isinstance(source, list) else source)
