"""The sentence about a landmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...transforms.files.plural import plural
from .statement import number

AXES = {2: ("row", "column"), 3: ("x", "y", "z")}


def point_statement(
    name: str,
    unit: str,
    value: Sequence[float],
    draws: int,
    distance: float | None,
    outside: bool,
    region: Mapping[str, Any] | None = None,
    withheld: str = "",
) -> str:
    """One sentence; no number for a landmark that the image does not show.

    Args:
        name: of the landmark. unit: of the value.
        value: its coordinates.
        draws: how many there were.
        distance: mean distance of the draws to their mean, None for one.
        outside: whether it lies beyond the image or at its edge.
        region: of the landmark for itself, where a record says so.
        withheld: why a record there is does not say so.
    """
    if outside:
        return f"{name}: at the edge of the image or beyond it. This is not a position."
    shown = ", ".join(f"{axis} {number(float(part), 4)}" for axis, part in zip(AXES[len(value)], value, strict=True))
    if region is not None:
        return (
            f"{name}: {shown} {unit} ({region_in_words(region)} {region['truth']}, "
            f"calibrated on {region['n']} {plural(region['unit'])})"
        )
    said = (
        "one network, no draws" if distance is None else f"{draws} draws, on average {number(distance, 2)} {unit} from their mean"
    )
    calibrated = f"not calibrated; no region: {withheld}" if withheld else "not calibrated"
    return f"{name}: {shown} {unit} ({said}, {calibrated})"


def region_in_words(region: Mapping[str, Any]) -> str:
    """ "90 % within 1.9 mm", or "90 % within an ellipse of semi-axes 2.4 and 1.3 mm"."""
    level = f"{100 * region['level']:.6g} %"
    if region["kind"] == "disc":
        return f"{level} within {number(region['radius'], 2)} mm"
    return f"{level} within an ellipse of semi-axes {' and '.join(number(axis, 2) for axis in region['semi_axes'])} mm"
