"""preview.png: the study at a glance."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..drawing.class_names import parts
from ..drawing.outlines import lay_over
from ..drawing.views import View, scene_of
from .writer import Writer

GAP = 6
LEGEND = 24
"""Height of the line that names the classes, in pixels."""


class PreviewWriter(Writer):
    """The input with the outlines of a few draws, or else of the segmentation; three slices of a volume side by side.

    Of an image whose class is asked for it is what the draws look at.

    Where there are several classes behind the background, it is the segmentation's, each class in its colour and named below.
    Of objects that were told apart it is theirs, dashed those that not all draws have.

    Args:
        longest: as of the report: with the same, both show one drawing.
    """

    def __init__(self, longest: int = 1000) -> None:
        self.longest = longest

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: `input`, and `hypotheses` or `segmentation` where there are any."""
        views = scene_of(study).whole(self.longest)
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
