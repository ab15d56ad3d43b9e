"""PNG, JPEG and TIFF pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def read_picture(path: Path) -> np.ndarray:
    """Read a picture. Returns: (channels, rows, columns)."""
    array = np.asarray(Image.open(path))
    return array[None] if array.ndim == 2 else np.moveaxis(array, -1, 0)
