"""preview.png and thumbnail.png: the study at a glance, and smaller still for tables of studies."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..drawing.class_names import parts
from ..drawing.outlines import lay_over
from ..drawing.plane import planes_through
from ..drawing.views import Scene, View, scene_of
from .writer import Writer

GAP = 6
THUMBNAIL = 320
"""Longest side, pixels: tables show it at half of that."""
LEGEND = 24
"""Height of the line that names the classes, in pixels."""


class PreviewWriter(Writer):
    """The input with the outlines of a few draws, or else of the segmentation; three slices of a volume side by side.

    Of an image whose class is asked for it is what the draws look at.

    Where there are several classes behind the background, it is the segmentation's, each class in its colour and named below.
    Of objects that were told apart it is theirs, dashed those that not all draws have.

    The thumbnail is the first of the views, its lines as thick as at that size they must be.

    Args:
        longest: as of the report: with the same, both show one drawing.
    """

    def __init__(self, longest: int = 1000) -> None:
        self.longest = longest

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: `input`, and `hypotheses` or `segmentation` where there are any."""
        scene = scene_of(study)
        views = scene.whole(self.longest)
        self._write_thumbnail(study, scene, folder)
        several = parts(study)
        panels = [panel(study, view) for view in views]
        rows = max(len(one) for one in panels)
        padded = [np.pad(one, ((0, rows - len(one)), (0, GAP if one is not panels[-1] else 0), (0, 0))) for one in panels]
        picture = np.concatenate(padded, axis=1)
        if several:
            named = [(name, colour) for _, name, colour in several]
            picture = np.concatenate([picture, _legend(named, picture.shape[1])])
        # Of noise, as photographs are, the usual level 6 makes 10 % less in four times the time.
        Image.fromarray(picture).save(folder / "preview.png", format="PNG", compress_level=3)

    def _write_thumbnail(self, study: Mapping[Hashable, Any], scene: Scene, folder: Path) -> None:
        plane = planes_through(scene.middle, scene.shape, scene.affine)[0]
        view = scene.view(plane, plane.name, min(THUMBNAIL, self.longest), line=2.2)
        Image.fromarray(panel(study, view)).save(folder / "thumbnail.png", format="PNG")

    @classmethod
    def example(cls) -> PreviewWriter:
        """See `Writer.example`."""
        return cls(longest=64)


def panel(study: Mapping[Hashable, Any], view: View) -> np.ndarray:
    """A view with its lines: of the draws; of several classes and of objects the outlines. Returns: uint8 (rows, columns, 3)."""
    of_draws = not parts(study) and "objects" not in study and view.draws is not None
    lines = view.draws if of_draws else view.outline
    return view.photograph if lines is None else lay_over(view.photograph, lines)


def _legend(named: Sequence[tuple[str, str]], width: int) -> np.ndarray:
    """Names, each behind a swatch of its colour. Returns: uint8 (LEGEND, width, 3)."""
    strip = Image.new("RGB", (width, LEGEND))
    draw, font = ImageDraw.Draw(strip), ImageFont.load_default(LEGEND * 0.6)
    left = GAP
    for name, colour in named:
        draw.rectangle((left, LEGEND // 2 - 3, left + 18, LEGEND // 2 + 2), fill=colour)
        draw.text((left + 18 + GAP, LEGEND // 2), name, fill="white", font=font, anchor="lm")
        left += 18 + 4 * GAP + round(draw.textlength(name, font=font))
    return np.asarray(strip)
