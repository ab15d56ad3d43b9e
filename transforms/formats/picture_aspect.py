"""Whether a picture says that its pixels are not square: a resolution tag gives no size, but two of them give a shape."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from ..image.stated_spacing import EQUAL_ASPECT

X_RESOLUTION, Y_RESOLUTION = 282, 283
"""Tags of TIFF and of EXIF."""
GIF_SQUARE = 64


def unsquare_aspect(image: Image.Image, data: bytes, transposed: bool) -> float | None:
    """Height of a pixel by its width, of the upright picture; None where the file states none, or that it is square.

    Many programs write the same number into both resolutions without knowing any, so a square is no statement.

    Args:
        image: opened, not decoded.
        data: the file.
        transposed: whether its rows are the upright picture's columns.

    Source: PNG, 11.3.4.3 (pHYs); JFIF 1.02, page 5; TIFF 6.0 and EXIF 2.32, tags 282 and 283; GIF89a, 18, vii.
    """
    for across, down in _densities(image, data):
        ratio = across / down
        if not math.isclose(ratio, 1, rel_tol=EQUAL_ASPECT):
            return 1 / ratio if transposed else ratio
    return None


def _densities(image: Image.Image, data: bytes) -> Iterator[tuple[float, float]]:
    """Pixels per unit of length, along a row and along a column, wherever a file states both."""
    tags: Mapping[int, Any] = image.tag_v2 if isinstance(image, TiffImageFile) else image.getexif()
    stated: list[tuple[Any, Any]] = [(tags.get(X_RESOLUTION), tags.get(Y_RESOLUTION))]
    if image.format == "PNG":
        stated.append(image.info.get("aspect") or image.info.get("dpi") or (None, None))
    if image.format == "JPEG":
        stated.append(image.info.get("jfif_density") or (None, None))
    if image.format == "GIF" and data[12]:
        stated.append((GIF_SQUARE, data[12] + 15))
    for across, down in stated:
        if _is_length(across) and _is_length(down):
            yield float(across), float(down)


def _is_length(number: Any) -> bool:
    try:
        return 0 < float(number) < math.inf
    except (TypeError, ValueError, ZeroDivisionError):
        return False
