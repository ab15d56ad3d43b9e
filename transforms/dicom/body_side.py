"""Which side of a pair the header says an image is of: the left knee, the right breast."""

from __future__ import annotations

from collections.abc import Iterable

from .frame import Frame
from .header_values import text

SIDES = {"R": "right", "L": "left", "B": "both"}
"""By the standard's codes; others, such as of parts that are not paired, say nothing."""


def body_side(frames: Iterable[Frame]) -> str:
    """Args: frames: of one image. Returns: one of `SIDES`; "" where the header does not say, or not everywhere the same."""
    headers = (frame.instance.header for frame in frames)
    said = {text(header, "ImageLaterality") or text(header, "Laterality") for header in headers}
    return SIDES.get(said.pop(), "") if len(said) == 1 else ""
