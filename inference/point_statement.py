"""The sentence about a landmark."""

from __future__ import annotations

from collections.abc import Sequence

from .statement import number

AXES = {2: ("row", "column"), 3: ("x", "y", "z")}


def point_statement(name: str, unit: str, value: Sequence[float], draws: int, distance: float | None, outside: bool) -> str:
    """One sentence; no number for a landmark that the image does not show.

    Args:
        name: of the landmark. unit: of the value.
        value: its coordinates.
        draws: how many there were.
        distance: mean distance of the draws to their mean, None for one.
        outside: whether it lies beyond the image or at its edge.
    """
    if outside:
        return f"{name}: at the edge of the image or beyond it. This is not a position."
    shown = ", ".join(f"{axis} {number(float(part), 4)}" for axis, part in zip(AXES[len(value)], value, strict=True))
    if distance is None:
        return f"{name}: {shown} {unit} (one network, no draws, not calibrated)"
    return f"{name}: {shown} {unit} ({draws} draws, on average {number(distance, 2)} {unit} from their mean, not calibrated)"
