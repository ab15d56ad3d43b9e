"""Labels of a picture as PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def write_png(path: Path, labels: np.ndarray) -> None:
    """Write label values as grey values, with nothing but the pixels in the file.

    Args:
        path: ends in .png.
        labels: (rows, columns), uint8, or uint16 for 16 bits a pixel.
    """
    depth = np.uint16 if labels.dtype == np.uint16 else np.uint8
    Image.fromarray(np.ascontiguousarray(labels, dtype=depth)).save(path, format="PNG")
