"""RLE frames. Pillow's decoder is bounded by what is expected of it and ten times as fast as pydicom's, which is Python."""

from __future__ import annotations

import numpy as np
from PIL import Image

from caveat.reasons import StudyRefused

from .codestream import rle_segments
from .pixel_layout import PixelLayout


def decode_rle(data: bytes, layout: PixelLayout) -> np.ndarray:
    """Decode one frame.

    Args:
        data: its RLE header and the planes of bytes.
        layout: what the header says.

    Returns:
        (rows, columns), of `layout.dtype`.

    Raises:
        StudyRefused: CODESTREAM_MISMATCH, TRUNCATED_PIXEL_DATA.

    Source: DICOM PS3.5, annex G; its runs are those of TIFF's PackBits.
    """
    count = layout.rows * layout.columns
    planes = np.empty((count, layout.bits_allocated // 8), dtype=np.uint8)
    for index, segment in enumerate(reversed(rle_segments(data, layout))):
        try:
            # All rows as one, since runs may pass from row to row.
            planes[:, index] = np.asarray(Image.frombytes("L", (count, 1), segment, "packbits", "L"))[0]
        except ValueError:
            raise StudyRefused("TRUNCATED_PIXEL_DATA", "a plane of bytes holds fewer than its frame has pixels") from None
    return planes.view(layout.dtype).reshape(layout.rows, layout.columns)
