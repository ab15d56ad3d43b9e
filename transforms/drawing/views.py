"""The study as it is looked at: whole, and close up where the draws disagree most."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import ndimage

from ..files.answers import landmarks_of
from ..files.arrays import affine_of, array_of
from .class_names import parts
from .disagreement import middle_of_segmentation, place_of_disagreement
from .display import display_intensity, grey_range, is_eight_bit_colour, photograph, size_on_screen, stretched
from .evidence_outlines import draw_evidence
from .landmark_marks import draw_landmarks, marks_of
from .outlines import AGREED_COLOUR, DRAW_COLOURS, draw_outlines, draw_parts
from .plane import Plane, planes_through
from .scale_bar import ScaleBar, scale_bar

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
        outline: lines of the segmentation, likewise; without one, what the draws look at, or the landmarks.
        sides: what lies left, right, above, below.
        box: where the close-up, or what was measured, lies in it: left, top, width, height in per cent; empty if elsewhere.
        bar: see `scale_bar`; None where no spacing is known.
    """

    title: str
    photograph: np.ndarray
    draws: np.ndarray | None = None
    outline: np.ndarray | None = None
    sides: str = ""
    box: tuple[float, ...] = ()
    bar: ScaleBar | None = None


@dataclass(frozen=True)
class Window:
    """Rows and columns of a plane, both [start, stop)."""

    rows: slice
    columns: slice

    @property
    def spans(self) -> tuple[slice, slice]:
        """To index a cut with."""
        return self.rows, self.columns


class Scene:
    """What the views of one study share; each part is made when it is first looked at, and once.

    Args:
        study: with `input`; `segmentation` and `hypotheses` where there are any, else `points` of the `result`; a `region` where
            it was cropped.
    """

    def __init__(self, study: Mapping[Hashable, Any]) -> None:
        self.study = study
        self.affine = affine_of(study)
        self.shape = tuple(study["input"].shape[1:])
        self.cropped = "crop" in study["result"].get("input", {})
        self.in_mm = study["input"].meta.get("spacing_mm") is not None
        self._whole: dict[int, list[View]] = {}

    @cached_property
    def box(self) -> tuple[slice, ...]:
        """The part of the grid that is shown: all of it, or the crop that was measured."""
        if self.cropped:
            return ndimage.find_objects(array_of(self.study, "region")[0])[0]
        return tuple(slice(0, size) for size in self.shape)

    @cached_property
    def image(self) -> np.ndarray:
        """See `display_intensity`."""
        return display_intensity(array_of(self.study, "input"), self.box)

    @cached_property
    def greys(self) -> tuple[float, float] | None:
        """The intensities shown black and white; None of eight-bit colour, which is shown as it is."""
        image = array_of(self.study, "input")
        return None if is_eight_bit_colour(image) else grey_range(image[0], self.box)

    @cached_property
    def middle(self) -> tuple[int, ...]:
        """The voxel in the middle of what was found, else of the box."""
        return middle_of_segmentation(self.study) or tuple((span.start + span.stop) // 2 for span in self.box)

    @cached_property
    def side(self) -> float:
        """Of the close-up, mm or pixels."""
        sides = [(span.stop - span.start) * length for span, length in zip(self.box, self._spacing, strict=True)]
        return max(max(sides) / SHARE_OF_CLOSE_UP, LEAST_CLOSE_UP * self._spacing.min())

    @cached_property
    def focus(self) -> tuple[int, ...] | None:
        """The voxel at which draws disagree most; None where they do not."""
        return place_of_disagreement(self.study, [max(1, round(self.side / 4 / length)) for length in self._spacing])

    @property
    def _spacing(self) -> np.ndarray:
        return np.linalg.norm(self.affine[:3, :3], axis=0)[: len(self.shape)]

    def whole(self, longest: int) -> list[View]:
        """The picture, or three slices through the middle of what was found, drawn once for all who ask.

        Args:
            longest: side of the picture in screen pixels; slices have half of it.
        """
        if longest not in self._whole:
            side = longest if len(self.shape) == 2 else longest // 2
            planes = planes_through(self.middle, self.shape, self.affine)
            self._whole[longest] = [self.view(plane, plane.name, side) for plane in planes]
        return self._whole[longest]

    def surroundings(self, longest: int) -> list[View]:
        """The same slices of the whole image, a box round what was measured; none where that is all of it."""
        if not self.cropped:
            return []
        image, views = display_intensity(array_of(self.study, "input")), []
        for plane in planes_through(self.middle, self.shape, self.affine):
            cut = plane.cut(image)
            pixels = photograph(cut, size_on_screen(cut.shape, plane.element, longest))
            box = share_of(self.frame(plane), Window(slice(0, cut.shape[0]), slice(0, cut.shape[1])))
            views.append(View(plane.name, pixels, sides=plane.sides, box=box, bar=self._bar(plane, cut.shape[1])))
        return views

    def close_up(self, longest: int) -> View | None:
        """The window in which draws disagree most, in the plane of the finest elements. Args: longest: side in screen pixels."""
        plane = self.plane_of_focus()
        return None if plane is None else self.view(plane, "", longest, self.window(plane), line=1.8)

    def plane_of_focus(self) -> Plane | None:
        """The plane in which the close-up lies; of a volume the one with the smallest elements, axial if several."""
        return None if self.focus is None else self.finest_plane(self.focus)

    def finest_plane(self, voxel: Sequence[int]) -> Plane:
        """Of the planes through a voxel the one with the smallest elements, axial if several."""
        return min(planes_through(voxel, self.shape, self.affine), key=lambda plane: round(np.prod(plane.element), 6))

    def frame(self, plane: Plane) -> Window:
        """What of a plane is shown: where it cuts the scene's box."""
        corners = (plane.locate([span.start for span in self.box]), plane.locate([span.stop - 1 for span in self.box]))
        return Window(*(slice(min(ends), max(ends) + 1) for ends in zip(*corners, strict=True)))

    def window(self, plane: Plane) -> Window:
        """The close-up's window in its plane, moved inside where it would reach over the frame's edge."""
        if self.focus is None:
            raise ValueError("there is no close-up where draws do not disagree")
        place, frame = plane.locate(self.focus), self.frame(plane)
        spans = []
        for axis, shown in enumerate((frame.rows, frame.columns)):
            size = min(shown.stop - shown.start, round(self.side / plane.element[axis]))
            start = min(max(shown.start, place[axis] - size // 2), shown.stop - size)
            spans.append(slice(start, start + size))
        return Window(*spans)

    def view(self, plane: Plane, title: str, longest: int, window: Window | None = None, line: float = 1.1) -> View:
        """What of a plane lies in a window, which has its own contrast; without one what lies in the scene's box.

        Args:
            title: of the view. longest: side of the picture, and line: width of the lines, in screen pixels.
        """
        rows, columns = (window or self.frame(plane)).spans
        cut = plane.cut(self.image)[rows, columns]
        image = stretched(cut) if window else cut
        size = size_on_screen(image.shape, plane.element, longest)

        def lines(label_maps: Iterable[np.ndarray], colours: Sequence[str]) -> np.ndarray:
            return draw_outlines([plane.cut(labels)[rows, columns] for labels in label_maps], colours, size, line)

        study = self.study
        hypotheses = list(array_of(study, "hypotheses")[: len(DRAW_COLOURS)]) if "hypotheses" in study else []
        draws = lines(hypotheses, DRAW_COLOURS[: len(hypotheses)]) if hypotheses else None
        outline = None
        if "segmentation" in study:
            labels, several = array_of(study, "segmentation"), {label: colour for label, _, colour in parts(study)}
            cut = plane.cut(labels[0])[rows, columns]
            outline = draw_parts(cut, several, size, line) if several else lines(labels, [AGREED_COLOUR])
            if "objects" in study:
                cut = plane.cut(array_of(study, "objects")[0].astype(int))[rows, columns]
                outline = draw_outlines([cut], [AGREED_COLOUR], size, line, unsure_objects(study["result"]))
        elif "evidence_share" in study:
            share = plane.cut(array_of(study, "evidence_share")[0])[rows, columns]
            outline = draw_evidence(share, size, line)
        elif landmarks := landmarks_of(study["result"]):
            marks = marks_of(landmarks, self.affine, plane)
            outline = draw_landmarks(marks, (rows, columns), size, line)
        box = () if window else self._box(plane)
        bar = self._bar(plane, columns.stop - columns.start)
        return View(title, photograph(image, size), draws, outline, plane.sides, box, bar)

    def _bar(self, plane: Plane, columns: int) -> ScaleBar | None:
        return scale_bar(columns * plane.element[1]) if self.in_mm else None

    def _box(self, plane: Plane) -> tuple[float, ...]:
        """Where the close-up lies in a view, if the view's plane is the close-up's."""
        near = self.plane_of_focus()
        if near is None or (near.normal, near.index) != (plane.normal, plane.index):
            return ()
        return share_of(self.window(plane), self.frame(plane))


def scene_of(study: Mapping[Hashable, Any]) -> Scene:
    """The scene that the writers of one study share (`scene`), or one of its own."""
    return study["scene"] if "scene" in study else Scene(study)


def unsure_objects(result: Mapping[str, Any]) -> frozenset[int]:
    """Numbers of the objects that not all draws have: dashed."""
    return frozenset(number for number, one in enumerate(result["lesions"], start=1) if one["existence"] < 1)


def share_of(window: Window, frame: Window) -> tuple[float, ...]:
    """Where a window lies in a frame. Returns: left, top, width, height in per cent."""
    corner, size = [], []
    for inner, outer in ((window.columns, frame.columns), (window.rows, frame.rows)):
        length = outer.stop - outer.start
        corner.append((inner.start - outer.start) / length)
        size.append((inner.stop - inner.start) / length)
    return tuple(round(100 * share, 3) for share in (*corner, *size))
