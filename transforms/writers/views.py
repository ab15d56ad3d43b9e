"""The study as it is looked at: whole, and close up where the draws disagree most."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .arrays import affine_of, array_of
from .disagreement import middle_of_segmentation, place_of_disagreement
from .display import display_intensity, photograph, size_on_screen, stretched
from .outlines import AGREED_COLOUR, DRAW_COLOURS, draw_outlines
from .plane import Plane, planes_through

SHARE_OF_CLOSE_UP = 6
"""The close-up shows one such part of the longest side."""
LEAST_CLOSE_UP = 32
"""Elements the close-up shows at least."""


@dataclass(frozen=True)
class View:
    """One picture with lines to lay over it.

    Args:
        title: what it is; empty for a picture as a whole.
        photograph: uint8 (rows, columns, 3).
        draws: lines of the first draws, uint8 (rows, columns, 4); None where there are none.
        outline: lines of the segmentation, likewise.
        sides: what lies left, right, above, below.
        box: where the close-up lies in it: left, top, width, height in per cent; empty if elsewhere.
    """

    title: str
    photograph: np.ndarray
    draws: np.ndarray | None = None
    outline: np.ndarray | None = None
    sides: str = ""
    box: tuple[float, ...] = ()


@dataclass(frozen=True)
class Window:
    """Rows and columns of a plane, both [start, stop)."""

    rows: slice
    columns: slice


@dataclass
class Scene:
    """What the views of one study share.

    Args:
        study: with `input`; `segmentation` and `hypotheses` where there are any.
        focus: the voxel at which draws disagree most; None where they do not.
    """

    study: Mapping[Hashable, Any]
    focus: tuple[int, ...] | None = field(init=False)

    def __post_init__(self) -> None:
        self.affine = affine_of(self.study)
        self.image = display_intensity(array_of(self.study, "input"))
        self.shape = tuple(self.study["input"].shape[1:])
        spacing = np.linalg.norm(self.affine[:3, :3], axis=0)[: len(self.shape)]
        self.side = max(max(self.shape * spacing) / SHARE_OF_CLOSE_UP, LEAST_CLOSE_UP * spacing.min())
        self.focus = place_of_disagreement(self.study, [max(1, round(self.side / 4 / s)) for s in spacing])

    def whole(self, longest: int) -> list[View]:
        """The picture, or three slices through the middle of what was found. Args: longest: side in screen pixels."""
        planes = planes_through(middle_of_segmentation(self.study), self.shape, self.affine)
        return [self._view(plane, plane.name, longest) for plane in planes]

    def close_up(self, longest: int) -> View | None:
        """The window in which draws disagree most, in the plane of the finest elements. Args: longest: side in screen pixels."""
        plane = self.plane_of_focus()
        return None if plane is None else self._view(plane, "", longest, self.window(plane))

    def plane_of_focus(self) -> Plane | None:
        """The plane in which the close-up lies; of a volume the one with the smallest elements, axial if several."""
        if self.focus is None:
            return None
        return min(planes_through(self.focus, self.shape, self.affine), key=lambda plane: round(np.prod(plane.element), 6))

    def window(self, plane: Plane) -> Window:
        """The close-up's window in its plane, moved inside where it would reach over the edge."""
        shape = plane.cut(self.image).shape
        place = plane.locate(self.focus)
        spans = []
        for axis in (0, 1):
            size = min(shape[axis], round(self.side / plane.element[axis]))
            start = min(max(0, place[axis] - size // 2), shape[axis] - size)
            spans.append(slice(start, start + size))
        return Window(*spans)

    def _view(self, plane: Plane, title: str, longest: int, window: Window | None = None) -> View:
        whole = plane.cut(self.image)
        rows, columns = (window.rows, window.columns) if window else (slice(None), slice(None))
        image = stretched(whole[rows, columns]) if window else whole
        size = size_on_screen(image.shape, plane.element, longest)
        width = 1.8 if window else 1.1

        def lines(label_maps: Sequence[np.ndarray], colours: Sequence[str]) -> np.ndarray:
            return draw_outlines([plane.cut(labels)[rows, columns] for labels in label_maps], colours, size, width)

        study = self.study
        hypotheses = array_of(study, "hypotheses")[: len(DRAW_COLOURS)] if "hypotheses" in study else []
        draws = lines(hypotheses, DRAW_COLOURS[: len(hypotheses)]) if len(hypotheses) else None
        outline = lines(array_of(study, "segmentation"), [AGREED_COLOUR]) if "segmentation" in study else None
        box = () if window else self._box(plane)
        return View(title, photograph(image, size), draws, outline, plane.sides, box)

    def _box(self, plane: Plane) -> tuple[float, ...]:
        """Where the close-up lies in a view, if the view's plane is the close-up's."""
        near = self.plane_of_focus()
        if near is None or (near.normal, near.index) != (plane.normal, plane.index):
            return ()
        window, (height, width) = self.window(plane), plane.cut(self.image).shape[:2]
        left, top = window.columns.start / width, window.rows.start / height
        across, down = (window.columns.stop - window.columns.start) / width, (window.rows.stop - window.rows.start) / height
        return tuple(round(100 * share, 3) for share in (left, top, across, down))
