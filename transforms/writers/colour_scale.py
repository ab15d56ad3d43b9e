"""Maps as colours on a fixed scale, so that two studies can be compared by eye."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from PIL import Image

COLOUR_MAP = colormaps["cividis"]
"""Read alike with and without colour blindness, and in grey."""
NOT_MEASURED = (232, 232, 232, 255)
"""Colour of what lies outside the region."""


@dataclass(frozen=True)
class MapKind:
    """How one map is explained and scaled.

    Args:
        title: its name in plain words.
        meaning: one sentence for a reader who has not met it.
        unit: of its values; empty for a share.
        in_nats: whether its greatest value is ln C of C classes; else `greatest`.
        greatest: end of the scale.
    """

    title: str
    meaning: str
    unit: str = ""
    in_nats: bool = False
    greatest: float = 1.0

    def end(self, classes: int) -> float:
        """The end of the scale for a task of so many classes."""
        return math.log(classes) if self.in_nats else self.greatest

    def end_in_words(self, classes: int) -> str:
        """The end of the scale as it stands beside the colour bar."""
        return f"{math.log(classes):.2f} = ln {classes} {self.unit}" if self.in_nats else f"{self.greatest:g}"


MAP_KINDS = {
    "probability": MapKind("Probability", "How sure the draws are on average that this belongs to it."),
    "entropy": MapKind("Entropy", "All uncertainty together: darkest is certain, brightest is a coin toss.", "nats", True),
    "expected_entropy": MapKind(
        "Expected entropy", "The doubt within each single draw: blurred or ambiguous places.", "nats", True
    ),
    "mutual_information": MapKind(
        "Mutual information", "The doubt between the draws: where they contradict each other.", "nats", True
    ),
    "variance": MapKind(
        "Variance", "How far the draws' probabilities lie apart; 0.25 is the most there can be.", "", False, 0.25
    ),
}
SOURCE_TITLES = {
    "model": "Mutual information: what the model does not know",
    "rater": "Mutual information: disagreement between readings",
    "image": "Mutual information: sensitivity to the image",
}
"""What varies between the draws decides what their disagreement means."""


def colour_map(values: np.ndarray, end: float, inside: np.ndarray | None, size: tuple[int, int]) -> np.ndarray:
    """A cut of a map as colours, averaged where it is shown smaller than it is.

    Args:
        values: (rows, columns).
        end: value of the brightest colour; 0 is the darkest.
        inside: where it was measured, (rows, columns), or None for everywhere.
        size: rows and columns on the screen.

    Returns:
        uint8 (*size, 4).
    """
    smaller = size[0] < values.shape[0]
    way = Image.Resampling.BOX if smaller else Image.Resampling.NEAREST
    shown = np.asarray(Image.fromarray(np.ascontiguousarray(values, np.float32)).resize(size[::-1], way))
    colours = COLOUR_MAP(np.clip(shown / end, 0, 1), bytes=True)
    if inside is not None:
        mask = Image.fromarray(np.ascontiguousarray(inside > 0).astype(np.uint8)).resize(size[::-1], Image.Resampling.NEAREST)
        colours[np.asarray(mask) == 0] = NOT_MEASURED
    return colours


def colour_bar() -> str:
    """The colours from 0 to the end of the scale. Returns: a CSS gradient."""
    stops = [COLOUR_MAP(step / 10, bytes=True)[:3] for step in range(11)]
    return "linear-gradient(to right, " + ", ".join(f"rgb({r} {g} {b})" for r, g, b in stops) + ")"
