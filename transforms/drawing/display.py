"""Numbers as pixels: intensities, sizes on the screen, and files inside a page."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image


def display_intensity(image: np.ndarray, box: tuple[slice, ...] = ()) -> np.ndarray:
    """Intensities as a person looks at them.

    Eight-bit colour is shown as it is; everything else from its 0.5th to its 99.5th percentile, the first channel alone.

    Args:
        image: (channels, *spatial), any scale.
        box: part of the image whose percentiles are taken; without it the whole.

    Returns:
        (*spatial) or (*spatial, 3), float32, 0 to 1.
    """
    if is_eight_bit_colour(image):
        return np.moveaxis(image, 0, -1).astype(np.float32) / 255
    return stretched(np.moveaxis(image, 0, -1) if len(image) == 3 else image[0], box)


def is_eight_bit_colour(image: np.ndarray) -> bool:
    """Args: image: (channels, *spatial)."""
    return bool(len(image) == 3 and image.min() >= 0 and 1 < image.max() <= 255)


def grey_range(shown: np.ndarray, box: tuple[slice, ...] = ()) -> tuple[float, float]:
    """What is black and what is white: the 0.5th and the 99.5th percentile of the box, all channels alike."""
    low, high = np.percentile(shown[box], [0.5, 99.5])
    return float(low), float(high)


def stretched(shown: np.ndarray, box: tuple[slice, ...] = ()) -> np.ndarray:
    """From black to white, see `grey_range`. Returns: float32, 0 to 1."""
    low, high = grey_range(shown, box)
    return np.clip((shown - low) / max(high - low, 1e-12), 0, 1).astype(np.float32)


def size_on_screen(shape: tuple[int, ...], element: tuple[float, float], longest: int) -> tuple[int, int]:
    """Pixels of a cut on the screen, true to scale: its longest side is `longest`, or its own where that is nearly so.

    Returns:
        Rows, columns.
    """
    height, width = shape[0] * element[0], shape[1] * element[1]
    scale = longest / max(height, width)
    if element[0] == element[1] and 1 <= scale * element[0] < 1.5:
        return shape[0], shape[1]
    return max(1, round(height * scale)), max(1, round(width * scale))


def photograph(cut: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A cut as colours. Args: cut: (rows, columns[, 3]), 0 to 1. Returns: uint8 (*size, 3)."""
    pixels = Image.fromarray((cut * 255).round().astype(np.uint8)).convert("RGB")
    enlarged = size[0] > cut.shape[0]
    return np.asarray(pixels.resize(size[::-1], Image.Resampling.BICUBIC if enlarged else Image.Resampling.BOX))


def jpeg_uri(pixels: np.ndarray, quality: int = 90) -> str:
    """A photograph inside a page. Args: pixels: uint8 (rows, columns, 3). quality: 1 to 95."""
    return _uri(Image.fromarray(pixels), "jpeg", quality=quality, subsampling=0)  # "optimize" fails on noise


def png_uri(pixels: np.ndarray) -> str:
    """A drawing inside a page. Args: pixels: uint8 (rows, columns, 4), few colours."""
    few = Image.fromarray(pixels).quantize(128, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    return _uri(few, "png", optimize=True)


def palette_uri(numbers: np.ndarray, palette: np.ndarray) -> str:
    """A map inside a page. Args: numbers: uint8 (rows, columns), of colours. palette: uint8 (256, 3)."""
    picture = Image.fromarray(numbers)
    picture.putpalette(palette.tobytes())
    return _uri(picture, "png", optimize=True)


def _uri(picture: Image.Image, kind: str, **options: Any) -> str:
    file = io.BytesIO()
    picture.save(file, format=kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
