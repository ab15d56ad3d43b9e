"""preview.png: the study at a glance."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .outlines import lay_over
from .views import Scene, View
from .writer import Writer

GAP = 6


class PreviewWriter(Writer):
    """The input with the outlines of a few draws, or else of the segmentation; three slices of a volume side by side.

    Args:
        longest: longest side of a picture, or of one slice, in pixels.
    """

    def __init__(self, longest: int = 640) -> None:
        self.longest = longest

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: `input`, and `hypotheses` or `segmentation` where there are any."""
        views = Scene(study).whole(self.longest)
        panels = [_panel(view) for view in views]
        rows = max(len(panel) for panel in panels)
        padded = [np.pad(panel, ((0, rows - len(panel)), (0, GAP if panel is not panels[-1] else 0), (0, 0))) for panel in panels]
        Image.fromarray(np.concatenate(padded, axis=1)).save(folder / "preview.png", format="PNG", optimize=True)

    @classmethod
    def example(cls) -> PreviewWriter:
        """See `Writer.example`."""
        return cls(longest=64)


def _panel(view: View) -> np.ndarray:
    lines = view.draws if view.draws is not None else view.outline
    return view.photograph if lines is None else lay_over(view.photograph, lines)
