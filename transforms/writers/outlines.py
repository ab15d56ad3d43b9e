"""Outlines of label maps: white where they run together, each its own colour where they part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from scipy import ndimage

DRAW_COLOURS = ("#56b4e9", "#f0e442", "#e8601c", "#009e73", "#cc79a7", "#0072b2", "#e69f00", "#117733")
"""One a draw: Okabe and Ito's colours, which the colour-blind tell apart, and a dark green."""
AGREED_COLOUR = "#ffffff"
"""Of a line that all draws share, and of the segmentation."""
SHADOW = 0.55
"""Opacity of the dark seam that holds the lines off a bright ground."""
INNER_EDGE = 0.75
"""Between the middle of a label's outermost element (1) and the middle of its neighbour (0)."""
DOTS = 100


def draw_outlines(cuts: Sequence[np.ndarray], colours: Sequence[str], size: tuple[int, int], width: float) -> np.ndarray:
    """Lines round every label of every cut, on a clear ground.

    Where the lines of all cuts run together they are `AGREED_COLOUR`; the fewer do, the nearer to the mean of their own colours.

    Args:
        cuts: label maps (rows, columns), all of one shape.
        colours: one a cut.
        size: rows and columns of the drawing.
        width: of the lines, pixels.

    Returns:
        uint8 (*size, 4).
    """
    together = np.zeros((*size, 3), np.float32)
    total = np.zeros(size, np.float32)
    most = np.zeros(size, np.float32)
    for cut, colour in zip(cuts, colours, strict=True):
        line = line_opacity(cut, size, width)
        together += line[..., None] * np.asarray(to_rgb(colour), np.float32)
        total += line
        most = np.maximum(most, line)
    own = together / np.maximum(total, 1e-6)[..., None]
    share = total / np.maximum(most, 1e-6) / len(cuts)
    alone = 1 / len(cuts) if len(cuts) > 1 else 0
    agreed = (np.clip((share - alone) / (1 - alone), 0, 1) ** 2)[..., None]
    colour = agreed * np.asarray(to_rgb(AGREED_COLOUR), np.float32) + (1 - agreed) * own
    return _on_shadow(colour * most[..., None], most)


def draw_parts(cut: np.ndarray, colours: Mapping[int, str], size: tuple[int, int], width: float) -> np.ndarray:
    """Lines along the inner edge of each label of one cut, in its own colour, so that those of parts that touch lie side by side.

    Args:
        cut: label map (rows, columns).
        colours: of the labels that are drawn.
        size: rows and columns of the drawing.
        width: of the lines, pixels.

    Returns:
        uint8 (*size, 4).
    """
    lit = np.zeros((*size, 3), np.float32)
    opacity = np.zeros(size, np.float32)
    for label, colour in colours.items():
        line = line_opacity((cut == label).astype(np.uint8), size, width, INNER_EDGE)
        lit = line[..., None] * np.asarray(to_rgb(colour), np.float32) + (1 - line[..., None]) * lit
        opacity = line + (1 - line) * opacity
    return _on_shadow(lit, opacity)


def _on_shadow(lit: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """Lines above their dark seam. Args: lit: colours times opacity, (rows, columns, 3). Returns: uint8 (rows, columns, 4)."""
    shadow = SHADOW * ndimage.grey_dilation(opacity, size=(3, 3))
    total = opacity + shadow * (1 - opacity)
    colour = lit / np.maximum(total, 1e-6)[..., None]
    return (np.concatenate([colour, total[..., None]], axis=-1) * 255).round().astype(np.uint8)


def line_opacity(cut: np.ndarray, size: tuple[int, int], width: float, level: float = 0.5) -> np.ndarray:
    """Lines round every label of one cut. Args: as `draw_outlines`; level: 0.5 is the label's edge. Returns: float32 (*size)."""
    figure = Figure(figsize=(size[1] / DOTS, size[0] / DOTS), dpi=DOTS)
    figure.patch.set_alpha(0)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    rows, columns = cut.shape
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(rows - 0.5, -0.5)
    framed = np.pad(cut, 1)  # background all round closes the outline of what reaches the edge
    for label in np.unique(cut[cut > 0]):
        inside = (framed == label).astype(np.float32)
        where = (np.arange(-1, columns + 1), np.arange(-1, rows + 1))
        axes.contour(*where, inside, levels=[level], colors="black", linewidths=width * 72 / DOTS)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())[..., 3]
    fitted = np.zeros(size, np.float32)  # the canvas may round a size down by one
    fitted[: drawn.shape[0], : drawn.shape[1]] = drawn[: size[0], : size[1]] / np.float32(255)
    return fitted


def lay_over(photograph: np.ndarray, drawing: np.ndarray) -> np.ndarray:
    """A drawing on a photograph whose colours step back, as in the report.

    Args:
        photograph: uint8 (rows, columns, 3).
        drawing: uint8 (rows, columns, 4).

    Returns:
        uint8 (rows, columns, 3).
    """
    grey = photograph.mean(axis=-1, keepdims=True)
    calm = 0.9 * (0.35 * photograph + 0.65 * grey)
    opacity = drawing[..., 3:].astype(np.float32) / 255
    return (calm * (1 - opacity) + drawing[..., :3] * opacity).round().astype(np.uint8)
