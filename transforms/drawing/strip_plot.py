"""The draws of one measurement as dots on a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.ticker import MaxNLocator

from .outlines import DRAW_COLOURS

LEAST_SHARE = 0.1
"""The axis reaches at least so far to either side, as a share of the value: a small spread looks small."""
OTHER_COLOUR = "#8a8f98"
"""Of draws that are not outlined in the picture."""


@dataclass(frozen=True)
class StripPlot:
    """Places along the axis in per cent.

    Args:
        dots: per draw its place, height (per cent, 0 above) and colour.
        ticks: places and what stands below them.
        value: place of the reported value, or None.
        interval: places of a calibrated interval's ends, the axis' own where it has none; or None.
    """

    dots: list[tuple[float, float, str]]
    ticks: list[tuple[float, str]]
    value: float | None
    interval: tuple[float, float] | None


def strip_plot(measurement: Mapping[str, Any]) -> StripPlot | None:
    """Lay out one measurement's draws.

    Args:
        measurement: of the result's `answers`.

    Returns:
        None where it has no draws.
    """
    values = (measurement.get("draws") or {}).get("values") or []
    if not values:
        return None
    value, interval = measurement.get("value"), measurement.get("region")
    ends = (interval["lower"], interval["upper"]) if interval else (None, None)  # a one-sided bound has one of them
    shown = [*values, *(x for x in (value, *ends) if x is not None)]
    low, high = _axis(shown, abs(value if value is not None else values[0]))

    def place(x: float) -> float:
        return round(4 + 92 * (x - low) / (high - low), 3)

    # Up and down by turns, so that equal values stay two dots.
    dots = [
        (place(x), round(28 + 44 * (i * 0.618 % 1), 1), DRAW_COLOURS[i] if i < len(DRAW_COLOURS) else OTHER_COLOUR)
        for i, x in enumerate(values)
    ]
    marks = [float(mark) for mark in MaxNLocator(nbins=4).tick_values(low, high) if low <= mark <= high]
    ticks = [(place(mark), text) for mark, text in zip(marks, numbers(marks), strict=True)]
    lower, upper = (place(beyond if end is None else end) for end, beyond in zip(ends, (low, high)))
    return StripPlot(dots, ticks, None if value is None else place(value), (lower, upper) if interval else None)


def numbers(marks: Sequence[float]) -> list[str]:
    """Numbers beside an axis: as many decimals as they all have, up to six; thin spaces between thousands."""
    near = 1e-6 * (max(marks, default=0.0) - min(marks, default=0.0))
    decimals = next((places for places in range(6) if all(abs(round(mark, places) - mark) <= near for mark in marks)), 6)
    return [f"{mark:,.{decimals}f}".replace(",", "\u202f").replace("-", "\u2212") for mark in marks]


def _axis(shown: list[float], value: float) -> tuple[float, float]:
    low, high = min(shown), max(shown)
    middle, half = (low + high) / 2, max((high - low) / 2 * 1.1, LEAST_SHARE * value, 1e-9)
    if low >= 0:
        return max(0.0, middle - half), middle + half
    return middle - half, middle + half
