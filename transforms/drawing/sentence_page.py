"""Pages of one size with pictures and sentences, legible where no other text is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIDE = 512
"""Of a page, pixels: what a viewer shows at its own size on any screen."""
MARGIN = 10
LETTERS = 15
"""Height of the letters, pixels."""
LINE = 20
HEADING = "RESEARCH - not for diagnosis"
HEADING_COLOUR = "#f0e442"


@cache
def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(LETTERS)  # type: ignore[return-value]  # with a size it is this one


def wrapped(sentence: str, width: int = SIDE - 2 * MARGIN) -> list[str]:
    """A sentence in lines that fit; a word that is too long for a line is cut."""
    lines = [""]
    for word in sentence.split():
        longer = f"{lines[-1]} {word}".strip()
        if _font().getlength(longer) <= width:
            lines[-1] = longer
            continue
        lines += [word] if lines[-1] else []
        lines[-1] = word
        while _font().getlength(lines[-1]) > width:
            fits = max(n for n in range(1, len(lines[-1])) if _font().getlength(lines[-1][:n]) <= width)
            lines[-1:] = [lines[-1][:fits], lines[-1][fits:]]
    return lines


def text_pages(sentences: Sequence[str]) -> Iterator[np.ndarray]:
    """Sentences below each other, on as many pages as they need. Returns: uint8 (SIDE, SIDE, 3) each."""
    lines = [line for sentence in sentences for line in (*wrapped(sentence), "")]
    room = (SIDE - 2 * MARGIN) // LINE - 2
    for start in range(0, max(len(lines), 1), room):
        page = Image.new("RGB", (SIDE, SIDE))
        draw = _heading(page)
        for number, line in enumerate(lines[start : start + room], start=2):
            draw.text((MARGIN, MARGIN + number * LINE), line, fill="white", font=_font())
        yield np.asarray(page)


def picture_page(picture: np.ndarray, title: str, sides: str, sentence: str) -> np.ndarray:
    """A picture, as large as it fits, between a title and a sentence, a letter at each of its sides.

    Args:
        picture: uint8 (rows, columns, 3).
        sides: what lies left, right, above, below, a letter each; "" for none.

    Returns:
        uint8 (SIDE, SIDE, 3).
    """
    page = Image.new("RGB", (SIDE, SIDE))
    draw = _heading(page)
    draw.text((MARGIN, MARGIN + LINE), title, fill="white", font=_font())
    lines = wrapped(sentence)
    top, bottom = MARGIN + 2 * LINE, SIDE - MARGIN - len(lines) * LINE
    for number, line in enumerate(lines):
        draw.text((MARGIN, bottom + number * LINE), line, fill="white", font=_font())
    scale = min((SIDE - 2 * MARGIN) / picture.shape[1], (bottom - top - MARGIN) / picture.shape[0])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    left = (SIDE - size[0]) // 2
    page.paste(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS), (left, top))
    middle, right, base = (left + size[0] / 2, top + size[1] / 2), left + size[0] - 4, top + size[1] - 4
    places = ((left + 4, middle[1], "lm"), (right, middle[1], "rm"), (middle[0], top + 4, "mt"), (middle[0], base, "mb"))
    for letter, (x, y, anchor) in zip(sides, places):
        draw.text((x, y), letter, fill="white", font=_font(), anchor=anchor, stroke_width=2, stroke_fill="black")
    return np.asarray(page)


def _heading(page: Image.Image) -> ImageDraw.ImageDraw:
    draw = ImageDraw.Draw(page)
    draw.text((MARGIN, MARGIN), HEADING, fill=HEADING_COLOUR, font=_font())
    return draw
