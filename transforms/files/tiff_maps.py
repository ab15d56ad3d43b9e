"""Maps of a picture as TIFF: PNG holds no float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile


def write_tiff(path: Path, pages: np.ndarray) -> None:
    """Write one page or more, deflated, with no date, software or description in the file.

    Args:
        path: ends in .tif.
        pages: (pages, rows, columns), uint8 or float32.
    """
    tifffile.imwrite(
        path,
        np.ascontiguousarray(pages),
        compression="zlib",
        compressionargs={"level": 1},  # of maps, whose bits are mostly noise, a higher level makes 1 % less in twice the time
        photometric="minisblack",
        metadata=None,
        software="",
        datetime=None,
    )
