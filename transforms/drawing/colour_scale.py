"""Maps as colours on a fixed scale, so that two studies can be compared by eye."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from PIL import Image

COLOUR_MAP = colormaps["cividis"]
"""Read alike with and without colour blindness, and in grey."""
NOT_MEASURED = 255
"""Number of the colour of what lies outside the region, a light grey; the numbers below it are the colour bar."""
PALETTE = np.vstack([COLOUR_MAP(np.linspace(0, 1, NOT_MEASURED), bytes=True)[:, :3], [[232, 232, 232]]]).astype(np.uint8)
"""(256, 3)."""


@dataclass(frozen=True)
class MapKind:
    """How one map is explained and scaled.

    Args:
        title: its name in plain words.
        meaning: one sentence for a reader who has not met it.
        unit: of its values; empty for a share.
        in_nats: whether its greatest value is ln C of C classes; else `greatest`.
        greatest: end of the scale.
        rooted: whether colours go with the square root of the value: small ones, which are most, are told apart.
    """

    title: str
    meaning: str
    unit: str = ""
    in_nats: bool = False
    greatest: float = 1.0
    rooted: bool = False

    def end(self, classes: int) -> float:
        """The end of the scale for a task of so many classes."""
        return math.log(classes) if self.in_nats else self.greatest

    def marks(self, classes: int) -> tuple[str, str, str]:
        """What stands below the beginning, the middle and the end of the colour bar."""
        end = self.end(classes)
        words = f"{end:.2f} = ln {classes} {self.unit}" if self.in_nats else f"{end:g}"
        return "0", f"{end / 4 if self.rooted else end / 2:.2g}", words

    def shares(self, values: np.ndarray, classes: int) -> np.ndarray:
        """Places along the colour bar, 0 to 1."""
        shares = np.clip(values / self.end(classes), 0, 1)
        return np.sqrt(shares) if self.rooted else shares


MAP_KINDS = {
    "probability": MapKind("Probability", "How sure the draws are on average that this belongs to it."),
    "entropy": MapKind("Entropy", "All uncertainty together: darkest is certain, brightest is all as likely.", "nats", True),
    "expected_entropy": MapKind(
        "Expected entropy", "The doubt within each single draw: blurred or ambiguous places.", "nats", True
    ),
    "mutual_information": MapKind(
        "Mutual information", "The doubt between the draws: where they contradict each other.", "nats", True, rooted=True
    ),
    "variance": MapKind(
        "Variance", "How far the draws' probabilities lie apart; 0.25 is the most there can be.", greatest=0.25, rooted=True
    ),
    "evidence": MapKind(
        "Evidence",
        "What speaks for the class at each place, mean over the draws, in logits; below 0 is shown as 0.",
        greatest=15.0,
    ),
    "evidence_sd": MapKind("Spread of the evidence", "How far the draws' evidence lies apart, in logits.", greatest=7.5),
    "evidence_share": MapKind(
        "Agreement about the evidence",
        "Share of the draws in which the place is among the tenth that speaks loudest for the class.",
    ),
}
SOURCE_TITLES = {
    "model": "Mutual information: what the model does not know",
    "rater": "Mutual information: disagreement between readings",
    "image": "Mutual information: sensitivity to the image",
}
"""What varies between the draws decides what their disagreement means."""


def colour_map(shares: np.ndarray, inside: np.ndarray | None, size: tuple[int, int]) -> np.ndarray:
    """A cut of a map as colours, averaged where it is shown smaller than it is.

    Args:
        shares: places along the colour bar, (rows, columns), 0 to 1.
        inside: where it was measured, (rows, columns), or None for everywhere.
        size: rows and columns on the screen.

    Returns:
        uint8 (*size), numbers of colours of `PALETTE`.
    """
    smaller = size[0] < shares.shape[0]
    way = Image.Resampling.BOX if smaller else Image.Resampling.NEAREST
    shown = np.asarray(Image.fromarray(np.ascontiguousarray(shares, np.float32)).resize(size[::-1], way))
    colours = (shown * (NOT_MEASURED - 1)).round().astype(np.uint8)
    if inside is not None:
        mask = Image.fromarray(np.ascontiguousarray(inside > 0).astype(np.uint8)).resize(size[::-1], Image.Resampling.NEAREST)
        colours[np.asarray(mask) == 0] = NOT_MEASURED
    return colours


def colour_bar() -> str:
    """The colours from 0 to the end of the scale. Returns: a CSS gradient."""
    stops = [COLOUR_MAP(step / 10, bytes=True)[:3] for step in range(11)]
    return "linear-gradient(to right, " + ", ".join(f"rgb({r} {g} {b})" for r, g, b in stops) + ")"
