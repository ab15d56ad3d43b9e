"""The structure of a PNG file: Pillow reads past damage that the format's own checksums reveal."""

from __future__ import annotations

import struct
import zlib

from caveat.reasons import StudyRefused

SIGNATURE_BYTES = 8
FRAME_BYTES = 12
"""Length, type and checksum around a chunk's content."""


def refuse_broken_png(data: bytes) -> None:
    """Accept a PNG whose chunks are whole, up to its end.

    Args:
        data: the whole file, beginning with the signature.

    Raises:
        StudyRefused: TRUNCATED, CORRUPT.

    Source: PNG specification (third edition), section 5.
    """
    view = memoryview(data)
    position, kind, inside = SIGNATURE_BYTES, b"", False
    while kind != b"IEND":
        if position + FRAME_BYTES > len(view):
            raise StudyRefused("TRUNCATED", f"the file ends after {len(view)} bytes, without the picture's end")
        length, kind = struct.unpack_from(">I4s", view, position)
        if position == SIGNATURE_BYTES and kind != b"IHDR":
            raise StudyRefused("CORRUPT", "the first chunk is no header")
        content_end = position + 8 + length
        if content_end + 4 > len(view):
            raise StudyRefused("TRUNCATED", f"a chunk of {length} bytes, of which {len(view) - position - FRAME_BYTES} are there")
        if zlib.crc32(view[position + 4 : content_end]) != struct.unpack_from(">I", view, content_end)[0]:
            raise StudyRefused("CORRUPT", "a chunk's checksum is wrong")
        inside |= kind == b"IDAT"
        position = content_end + 4
    if not inside:
        raise StudyRefused("CORRUPT", "no pixels in the file")
