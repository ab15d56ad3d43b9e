"""PGM and PPM pictures, in which published masks and photographs come: binary, of any number of levels."""

from __future__ import annotations

import re
from typing import BinaryIO

import numpy as np

from caveat.reasons import StudyRefused

from ..checks.limits import refuse_large_picture
from ..formats.picture_image import picture_image
from ..image.study_image import Stated, StudyImage
from .reader import Reader

BETWEEN = rb"(?:\s|#[^\r\n]*[\r\n])+"
HEADER = re.compile(rb"P([56])" + BETWEEN + rb"(\d{1,9})" + BETWEEN + rb"(\d{1,9})" + BETWEEN + rb"(\d{1,5})\s")
"""Grey or colour, columns, rows, the highest level."""
NEXT = re.compile(rb"\s*P[1-7]\s")
CHANNELS = {b"5": 1, b"6": 3}


class NetpbmReader(Reader):
    """Pictures in their stored levels, which other readers stretch to 255."""

    kind = "picture"
    extensions = (".pgm", ".ppm")

    def recognises(self, head: bytes) -> bool:
        """See `Reader`."""
        return HEADER.match(head) is not None

    def read(self, file: BinaryIO, size: int, stated: Stated) -> StudyImage:
        """See `Reader`. Raises: StudyRefused: TRUNCATED, MULTI_PAGE, SIZE_MISMATCH, CORRUPT, TOO_LARGE.

        Source: Netpbm, pgm(5) and ppm(5): two bytes a value, the higher one first, where the highest level is above 255; any
        number of pictures may follow each other.
        """
        data = file.read(size)
        header = HEADER.match(data)
        if header is None:
            raise StudyRefused("TRUNCATED", "the file ends within its header")
        channels, columns, rows, highest = CHANNELS[header[1]], *(int(header[group]) for group in (2, 3, 4))
        refuse_large_picture(rows, columns)
        if not 0 < highest < 2**16 or not rows * columns:
            raise StudyRefused("CORRUPT", f"{rows} x {columns} pixels of {highest} levels")
        dtype = np.dtype("u1" if highest < 2**8 else ">u2")
        end = header.end() + rows * columns * channels * dtype.itemsize
        if end > len(data):
            raise StudyRefused("TRUNCATED", f"pixels up to byte {end} of {len(data)}")
        if NEXT.match(data, end):
            raise StudyRefused("MULTI_PAGE")
        if data[end:].strip() or (header[0].endswith(b"\r") and len(data) > end):  # perhaps a pixel, if two bytes end the header
            raise StudyRefused("SIZE_MISMATCH", f"{len(data) - end} bytes behind the picture")
        pixels = np.frombuffer(data, dtype, rows * columns * channels, header.end()).reshape(rows, columns, channels)
        if pixels.max() > highest:
            raise StudyRefused("CORRUPT", f"a value of {pixels.max()} where {highest} is the highest")
        return picture_image(pixels, stated)

    @staticmethod
    def example() -> tuple[bytes, np.ndarray]:
        """See `Reader`."""
        pixels = np.arange(0, 5 * 7 * 100, 100, dtype=">u2").reshape(5, 7)
        return b"P5\n# levels of 12 bits\n7 5\n4095\n" + pixels.tobytes(), pixels[None]
