"""Landmarks as they are drawn: a cross, the draws as dots, an outline for how far off it may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from .own_style import own_style
from .plane import Plane

DOTS = 100
DEVIATIONS = 2.0
"""How many standard deviations of the total covariance an ellipse reaches that no record calibrates. Of a Gaussian in the plane,
86 % lies inside."""
COLOURS = {"region": "#f0e442", "draws": "#56b4e9", "landmark": "#ffffff"}
"""Okabe and Ito's, which the colour-blind tell apart."""


@dataclass(frozen=True)
class Mark:
    """One landmark in a plane, in rows and columns of the plane.

    Args:
        label: a number to find it in the list by.
        middle: (2,).
        draws: (draws, 2).
        outline: (points, 2), of its region, or of an ellipse that is not calibrated.
        calibrated: which of both.
    """

    label: str
    middle: np.ndarray
    draws: np.ndarray
    outline: np.ndarray
    calibrated: bool


def marks_of(points: Sequence[Mapping[str, Any]], affine: np.ndarray, plane: Plane) -> list[Mark]:
    """The landmarks that the image shows, numbered as in `points`.

    Args:
        points: answers of a result, on the input's grid.
        affine: (4, 4), index of the input's grid to the points' unit.
        plane: that they are drawn in; of a volume, they are projected onto it.
    """
    shown = [(number, point) for number, point in enumerate(points, start=1) if not point["outside_image"]]
    return [_mark(str(number), point, affine, plane) for number, point in shown]


def _mark(label: str, point: Mapping[str, Any], affine: np.ndarray, plane: Plane) -> Mark:
    axes = len(point["value"])
    to_index = np.linalg.inv(affine)[:axes, :axes]
    corner = np.array(plane.locate([0] * axes))
    onto = np.stack([np.array(plane.locate(step.tolist())) - corner for step in np.eye(axes, dtype=int)], axis=1)  # (2, axes)
    offset = np.linalg.inv(affine)[:axes, 3]
    middle = onto @ (to_index @ point["value"] + offset) + corner
    draws = (np.asarray(point["draws"]["values"]) @ to_index.T + offset) @ onto.T + corner
    outline = middle + outline_of(onto @ to_index @ stretch_of(point)).T
    return Mark(label, middle, draws, outline, point["region"] is not None)


def stretch_of(point: Mapping[str, Any]) -> np.ndarray:
    """The matrix that stretches a unit ball into what is drawn: (axes, axes), in the points' unit.

    That is the landmark's region, or without one an ellipse of `DEVIATIONS` standard deviations of its total covariance.
    """
    region = point["region"]
    if region is None:
        lengths, directions = np.linalg.eigh(np.asarray(point["total_covariance"]))
        return directions * (DEVIATIONS * np.sqrt(lengths.clip(0)))
    if region["kind"] == "disc":
        return region["radius"] * np.eye(len(point["value"]))
    return np.transpose(region["directions"]) * np.asarray(region["semi_axes"])


def outline_of(stretch: np.ndarray) -> np.ndarray:
    """The outline of a stretched ball's shadow. Args: stretch: (2, axes), onto the plane. Returns: (2, points)."""
    lengths, directions = np.linalg.eigh(stretch @ stretch.T)
    angle = np.linspace(0, 2 * np.pi, 72)
    return directions @ (np.sqrt(lengths.clip(0))[:, None] * np.stack([np.cos(angle), np.sin(angle)]))


@own_style()
def draw_landmarks(marks: Sequence[Mark], shown: tuple[slice, slice], size: tuple[int, int], width: float) -> np.ndarray:
    """Draw marks on a clear ground: regions with a full line, what is not calibrated dashed.

    Args:
        marks: of the plane.
        shown: rows and columns of the plane that the drawing covers.
        size: rows and columns of the drawing, pixels.
        width: of the lines, pixels.

    Returns:
        uint8 (*size, 4).
    """
    figure = Figure(figsize=(size[1] / DOTS, size[0] / DOTS), dpi=DOTS)
    figure.patch.set_alpha(0)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(shown[1].start - 0.5, shown[1].stop - 0.5)
    axes.set_ylim(shown[0].stop - 0.5, shown[0].start - 0.5)
    line = width * 72 / DOTS
    seam = [withStroke(linewidth=2.5 * line, foreground="black", alpha=0.55)]
    for mark in marks:
        style: dict[str, Any] = {"linestyle": "-" if mark.calibrated else "--", "linewidth": line, "path_effects": seam}
        axes.plot(mark.outline[:, 1], mark.outline[:, 0], color=COLOURS["region"], **style)
        if len(mark.draws) > 1:
            axes.plot(mark.draws[:, 1], mark.draws[:, 0], ".", color=COLOURS["draws"], markersize=2.5 * line)
        axes.plot(mark.middle[1], mark.middle[0], "+", color=COLOURS["landmark"], markersize=6 * line, markeredgewidth=line)
        where: dict[str, Any] = {"xytext": (4 * line, 4 * line), "textcoords": "offset points", "fontsize": 8 * line}
        axes.annotate(mark.label, (mark.middle[1], mark.middle[0]), color="white", path_effects=seam, **where)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())
    fitted = np.zeros((*size, 4), np.uint8)  # the canvas may round a size down by one
    fitted[: drawn.shape[0], : drawn.shape[1]] = drawn[: size[0], : size[1]]
    return fitted
