"""The slices of a volume in which something was found, to go through one by one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from nibabel.orientations import apply_orientation

from ..files.arrays import array_of
from .display import photograph, size_on_screen
from .outlines import DRAW_COLOURS
from .plane import Plane
from .views import Scene, View

MOST_SLICES = 24
"""More of them would make a report that no mail takes."""


@dataclass(frozen=True)
class Slices:
    """Slices of one plane from foot to head, from back to front, or from left to right.

    Args:
        plane: such as "axial". views: their pictures. numbers: of the slices, see `Plane`. step: from one to the next.
        first: which of them to show first.
    """

    plane: str
    views: list[View]
    numbers: list[int]
    step: int
    first: int


def slices_of(scene: Scene, longest: int) -> Slices | None:
    """Those in which the mask or a draw has something, one more at either end; evenly spaced ones where they are too many.

    Args:
        scene: of a study.
        longest: side of each drawing in screen pixels.

    Returns:
        In the plane of the finest elements, with the slice in the middle of what was found among them. None of a picture.
    """
    if len(scene.shape) == 2:
        return None
    middle = scene.finest_plane(scene.middle)
    start, stop = _reach(scene, middle)
    step = -(-(stop - start) // MOST_SLICES)
    numbers = range(start + (middle.index - start) % step, stop, step)
    views = [_view(scene, replace(middle, index=number), longest) for number in numbers]
    return Slices(middle.name, views, list(numbers), step, _nearest(numbers, middle.index))


def _view(scene: Scene, plane: Plane, longest: int) -> View:
    """With sharp lines, and the image no larger than it is: whoever shows it enlarges it."""
    view = scene.view(plane, f"{plane.name} slice {plane.index}", longest)
    cut = plane.cut(scene.image)[scene.frame(plane).spans]
    own = round(max(size * length for size, length in zip(cut.shape, plane.element, strict=False)) / min(plane.element))
    return replace(view, photograph=photograph(cut, size_on_screen(cut.shape, plane.element, min(own, longest))))


def _nearest(numbers: Sequence[int], number: int) -> int:
    """Where in a list the nearest number stands."""
    return min(range(len(numbers)), key=lambda at: abs(numbers[at] - number))


def _reach(scene: Scene, plane: Plane) -> tuple[int, int]:
    """First slice, and the one behind the last: all of the scene's box where nothing was found."""
    box = np.zeros(scene.shape, bool)
    box[scene.box] = True
    (inside,) = np.nonzero(_along(box, plane))
    (found,) = np.nonzero(_found(scene.study, plane))
    if not len(found):
        return int(inside[0]), int(inside[-1]) + 1
    return max(int(inside[0]), int(found[0]) - 1), min(int(inside[-1]), int(found[-1]) + 1) + 1


def _found(study: Mapping[Hashable, Any], plane: Plane) -> np.ndarray:
    """In which slices the mask or one of the draws that are outlined has something. Returns: bool (slices,)."""
    masks = [array_of(study, "segmentation")[0]] if "segmentation" in study else []
    masks += list(array_of(study, "hypotheses")[: len(DRAW_COLOURS)]) if "hypotheses" in study else []
    return np.any([_along(mask, plane) for mask in masks], axis=0) if masks else np.zeros(1, bool)


def _along(mask: np.ndarray, plane: Plane) -> np.ndarray:
    """Whether each slice holds anything. Returns: bool (slices,)."""
    turned = apply_orientation(mask, plane.orientation)
    return turned.any(axis=tuple(axis for axis in range(3) if axis != plane.normal))
