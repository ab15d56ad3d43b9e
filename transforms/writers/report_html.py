"""report.html: one self-contained page a study."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from caveat.reasons import REASONS

from ..drawing.class_names import class_names, parts
from ..drawing.colour_scale import MAP_KINDS, PALETTE, SOURCE_TITLES, MapKind, colour_bar, colour_map
from ..drawing.display import jpeg_uri, palette_uri, png_uri, size_on_screen
from ..drawing.evidence_outlines import LEGEND as EVIDENCE_LEGEND
from ..drawing.landmark_marks import DEVIATIONS
from ..drawing.outlines import DRAW_COLOURS
from ..drawing.plane import planes_through
from ..drawing.scale_bar import ScaleBar
from ..drawing.slices import Slices, slices_of
from ..drawing.strip_plot import strip_plot
from ..drawing.views import Scene, View, scene_of
from ..files.answers import classes_of, landmarks_of, measurements_of
from ..files.arrays import array_of, foreground_probability, plain
from ..files.stored_result import EMPTY_RESULT
from ..pages.gate_rows import gate_rows
from ..pages.page import write_page
from ..pages.provenance import provenance
from .result_json import six_digits
from .writer import Writer

PAGE = "report.html"
QUALITY_OF_SLICES = 80
"""Of a JPEG: two dozen of them are most of a page."""


class ReportHtmlWriter(Writer):
    """report.html: image and outlines of the draws, statements, slices, maps, gate, provenance; for a refused study its reason.

    Args:
        longest: longest side of the image in pixels; a volume's slices, the close-up and the maps have half of it, or less.
    """

    of_refusals = True

    def __init__(self, longest: int = 1000) -> None:
        self.longest = longest

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: with `result`; unless it was refused `input`, and what there is of labels and maps."""
        result = six_digits({**EMPTY_RESULT, **plain(study["result"])})
        measurements, points = measurements_of(result), landmarks_of(result)
        scene = scene_of(study) if "input" in study else None
        write_page(
            folder / PAGE,
            PAGE,
            result=result,
            measurements=measurements,
            points=points,
            classes=classes_of(result),
            most_entropy=math.log(max(2, len(result["classes"]))),
            looked_at=EVIDENCE_LEGEND if "evidence_share" in study else (),
            title=(result["bundle"].get("name") or "result").replace("_", " ").capitalize(),
            number_of_draws=result["sampling"].get("draws") or 0,
            views=[ViewOnPage.of(view) for view in scene.whole(self.longest)] if scene else [],
            surroundings=[ViewOnPage.of(view) for view in scene.surroundings(self.longest // 3)] if scene else [],
            parts=parts(study),
            landmarks=DEVIATIONS if points and "segmentation" not in study else 0,
            region=next((point["region"] for point in points if point["region"]), None),
            truth=_truth(result),
            at_once=next((point["simultaneous_region"] for point in points if point["simultaneous_region"]), None),
            together=[answer for answer in measurements if _is_closed(answer["simultaneous_region"])],
            near=self._near(scene) if scene else None,
            files=sorted(path.name for path in folder.iterdir() if path.name != PAGE),
            slices=SlicesOnPage.of(scene, 2 * self.longest // 5) if scene else None,
            maps=self._maps(scene, str(result["sampling"].get("source"))) if scene else [],
            colours=DRAW_COLOURS[: len(study["hypotheses"])] if "hypotheses" in study else (),
            bar=colour_bar(),
            gate=result["gate"],
            gate_rows=gate_rows(result["gate"]),
            provenance=provenance(result),
            strips=[strip_plot(measurement) for measurement in measurements],
            explained=[explain(flag) for flag in result["flags"]],
        )

    @classmethod
    def example(cls) -> ReportHtmlWriter:
        """See `Writer.example`."""
        return cls(longest=96)

    def _near(self, scene: Scene) -> NearOnPage | None:
        view, plane = scene.close_up(self.longest // 2), scene.plane_of_focus()
        if view is None or plane is None:
            return None
        window = scene.window(plane)
        size = (window.rows.stop - window.rows.start, window.columns.stop - window.columns.start)
        return NearOnPage(ViewOnPage.of(view), plane.name, plane.index, size, plane.locate(scene.focus or ()))

    def _maps(self, scene: Scene, source: str) -> list[MapOnPage]:
        study = scene.study
        plane = scene.plane_of_focus() or planes_through(scene.middle, scene.shape, scene.affine)[0]
        frame = scene.frame(plane).spans
        inside = plane.cut(array_of(study, "region")[0])[frame] if "region" in study else None
        independent = study["result"]["sampling"].get("link") == "sigmoid"  # then a map says of one class: there or not
        classes = len(study["probability"]) if "probability" in study and not independent else 2
        place = f"{plane.name} slice {plane.index}" if plane.name else ""
        shown = []
        for title, kind, values in _channels(study, source):
            shares = kind.shares(plane.cut(values)[frame], classes)
            picture = colour_map(shares, inside, size_on_screen(shares.shape, plane.element, self.longest // 2))
            shown.append(
                MapOnPage(title, kind.meaning, kind.marks(classes), palette_uri(picture, PALETTE), float(values.max()), place)
            )
        return shown


def _is_closed(interval: Mapping[str, Any] | None) -> bool:
    """Whether there is an interval with two ends."""
    return interval is not None and None not in (interval["lower"], interval["upper"])


def _truth(result: Mapping[str, Any]) -> str:
    """Whose truth the result promises, "" where it promises none."""
    promised = (answer["region"] for answer in result["answers"])
    return next((str(one.get("truth", "")) for one in promised if one), "")


def _channels(study: Mapping[Hashable, Any], source: str) -> Iterator[tuple[str, MapKind, np.ndarray]]:
    """Every map worth a picture, with its title; the background's probability says what the others say."""
    for name, kind in MAP_KINDS.items():
        if name not in study:
            continue
        title = SOURCE_TITLES.get(source, kind.title) if name == "mutual_information" else kind.title
        channels = foreground_probability(study) if name == "probability" else array_of(study, name)
        for label, values in enumerate(channels):
            if len(channels) == 1:
                yield title, kind, values
            elif label > 0:
                yield f"{title}: {class_names(study)[label]}", kind, values


@dataclass(frozen=True)
class ViewOnPage:
    """A view as the template wants it: pictures as data URIs, empty where there are none."""

    title: str
    photograph: str
    draws: str
    outline: str
    height: int
    width: int
    sides: str
    box: tuple[float, ...]
    bar: ScaleBar | None

    @classmethod
    def of(cls, view: View, quality: int = 90) -> ViewOnPage:
        """Encode a view's pictures. Args: quality: of the photograph, see `jpeg_uri`."""
        draws, outline = ("" if lines is None else png_uri(lines) for lines in (view.draws, view.outline))
        height, width = view.photograph.shape[:2]
        return cls(view.title, jpeg_uri(view.photograph, quality), draws, outline, height, width, view.sides, view.box, view.bar)


@dataclass(frozen=True)
class NearOnPage:
    """The close-up: its view, the plane and slice it lies in, its size, and its middle as shown (row, column)."""

    view: ViewOnPage
    plane: str
    slice: int
    size: tuple[int, int]
    place: tuple[int, int]


@dataclass(frozen=True)
class SlicesOnPage:
    """Slices to go through; `greys` are the intensities shown black and white, None of colours."""

    views: list[ViewOnPage]
    slices: Slices
    greys: tuple[float, float] | None

    @classmethod
    def of(cls, scene: Scene, longest: int) -> SlicesOnPage | None:
        """Encode a volume's slices; None of a picture."""
        slices = slices_of(scene, longest)
        if slices is None:
            return None
        return cls([ViewOnPage.of(view, QUALITY_OF_SLICES) for view in slices.views], slices, scene.greys)


@dataclass(frozen=True)
class MapOnPage:
    """A map: title, explanation, marks of its scale, picture, greatest value of the whole map, and which slice is shown."""

    title: str
    meaning: str
    marks: tuple[str, str, str]
    picture: str
    greatest: float
    slice: str


def explain(code: str) -> dict[str, str]:
    """A reason code with its meaning and what to do; both are empty for a code that the table does not have."""
    reason = REASONS.get(code)
    return {"code": code, "message": reason.meaning if reason else "", "what_to_do": reason.what_to_do if reason else ""}
