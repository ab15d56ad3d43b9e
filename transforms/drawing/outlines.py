"""Outlines of label maps: white where they run together, each its own colour where they part."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from contourpy import LineType, contour_generator
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgb
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from scipy import ndimage

DRAW_COLOURS = ("#56b4e9", "#f0e442", "#e8601c", "#009e73", "#cc79a7", "#0072b2", "#e69f00", "#117733")
"""One a draw: Okabe and Ito's colours, which the colour-blind tell apart, and a dark green."""
AGREED_COLOUR = "#ffffff"
"""Of a line that all draws share, and of the segmentation."""
SHADOW = 0.55
"""Opacity of the dark seam that holds the lines off a bright ground."""
INNER_EDGE = 0.75
"""Between the middle of a label's outermost element (1) and the middle of its neighbour (0)."""
DASHES = (3, 3)
"""Points of line, points of gap."""
DOTS = 100


def draw_outlines(
    cuts: Sequence[np.ndarray], colours: Sequence[str], size: tuple[int, int], width: float, dashed: Collection[int] = ()
) -> np.ndarray:
    """Lines round every label of every cut, on a clear ground.

    Where the lines of all cuts run together they are `AGREED_COLOUR`; the fewer do, the nearer to the mean of their own colours.

    Args:
        cuts: label maps (rows, columns), all of one shape.
        colours: one a cut.
        size: rows and columns of the drawing.
        width: of the lines, pixels.
        dashed: labels whose lines are.

    Returns:
        uint8 (*size, 4).
    """
    lines = np.stack([line_opacity(cut, size, width, dashed=dashed) for cut in cuts])
    opacity = lines.max(axis=0)
    on = lines[:, opacity > 0]  # (cuts, pixels with a line): a few per cent of all
    total = on.sum(axis=0)
    own = on.T @ _rgb(colours) / total[:, None]
    alone = 1 / len(cuts) if len(cuts) > 1 else 0
    agreed = ((total / on.max(axis=0) / len(cuts) - alone) / (1 - alone)).clip(0, 1)[:, None] ** 2
    return _on_shadow(agreed * _rgb([AGREED_COLOUR]) + (1 - agreed) * own, opacity)


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
    lines = np.stack([line_opacity(cut == label, size, width, INNER_EDGE) for label in colours])
    drawn = lines.max(axis=0) > 0
    lit, opacity = np.zeros((drawn.sum(), 3), np.float32), np.zeros(size, np.float32)
    for line, colour in zip(lines, _rgb(colours.values()), strict=True):
        on = line[drawn][:, None]
        lit = on * colour + (1 - on) * lit
        opacity = line + (1 - line) * opacity
    return _on_shadow(lit / opacity[drawn][:, None], opacity)


def _rgb(colours: Iterable[str]) -> np.ndarray:
    return np.array([to_rgb(colour) for colour in colours], np.float32)


def _on_shadow(colours: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """Lines above their dark seam.

    Args:
        colours: of the pixels that have a line, (pixels, 3).
        opacity: of the lines, (rows, columns).

    Returns:
        uint8 (rows, columns, 4).
    """
    shadow = SHADOW * ndimage.grey_dilation(opacity, size=(3, 3))
    total = opacity + shadow * (1 - opacity)
    drawn = opacity > 0
    drawing = np.zeros((*opacity.shape, 4), np.uint8)
    drawing[..., 3] = (total * 255).round()
    drawing[drawn, :3] = (colours * (opacity[drawn] / total[drawn])[:, None] * 255).round()
    return drawing


def line_opacity(
    cut: np.ndarray, size: tuple[int, int], width: float, level: float = 0.5, dashed: Collection[int] = ()
) -> np.ndarray:
    """Lines round every label of one cut. Args: as `draw_outlines`; level: 0.5 is the label's edge. Returns: float32 (*size)."""
    renderer = RendererAgg(size[1], size[0], DOTS)
    pen = renderer.new_gc()
    pen.set_linewidth(width * 72 / DOTS)  # straight to the renderer: a figure for each line took ten times as long
    rows, columns = cut.shape
    onto = Affine2D().translate(0.5, 0.5).scale(size[1] / columns, -size[0] / rows).translate(0, size[0])
    framed = np.pad(cut, 1)  # background all round closes the outline of what reaches the edge
    for label, box in enumerate(ndimage.find_objects(framed.astype(int)), start=1):
        if box is None:
            continue
        down, across = (slice(span.start - 1, span.stop + 1) for span in box)  # one of hundreds of objects is a small part
        where = np.arange(across.start - 1, across.stop - 1), np.arange(down.start - 1, down.stop - 1)
        inside = contour_generator(*where, (framed[down, across] == label).astype(np.float32), line_type=LineType.SeparateCode)
        pen.set_dashes(0, DASHES if label in dashed else None)
        for points, codes in zip(*inside.lines(level), strict=True):
            renderer.draw_path(pen, Path(points, codes), onto)
    return np.asarray(renderer.buffer_rgba())[..., 3] / np.float32(255)


def lay_over(photograph: np.ndarray, drawing: np.ndarray) -> np.ndarray:
    """A drawing on a photograph whose colours step back, as in the report.

    Args:
        photograph: uint8 (rows, columns, 3).
        drawing: uint8 (rows, columns, 4).

    Returns:
        uint8 (rows, columns, 3).
    """
    grey = photograph.mean(axis=-1, keepdims=True, dtype=np.float32)
    calm = np.float32(0.9 * 0.35) * photograph + np.float32(0.9 * 0.65) * grey
    opacity = drawing[..., 3:] / np.float32(255)
    return (calm * (1 - opacity) + drawing[..., :3] * opacity).round().astype(np.uint8)
