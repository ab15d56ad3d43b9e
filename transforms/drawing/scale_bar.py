"""A bar of a round length, to see how large things are."""

from __future__ import annotations

import math
from dataclasses import dataclass

LONGEST_SHARE = 0.3
"""Of the picture's width, at most."""


@dataclass(frozen=True)
class ScaleBar:
    """Args: width: per cent of the picture's width. text: how long that is, such as "20 mm"."""

    width: float
    text: str


def scale_bar(width_mm: float) -> ScaleBar:
    """The longest bar of 1, 2 or 5 times a power of ten that is short enough. Args: width_mm: of the picture."""
    most = LONGEST_SHARE * width_mm
    power = 10.0 ** math.floor(math.log10(most))
    length = power * max(factor for factor in (1, 2, 5) if factor * power <= most)
    return ScaleBar(round(100 * length / width_mm, 3), f"{length:g} mm")
