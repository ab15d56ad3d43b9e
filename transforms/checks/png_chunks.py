"""The structure of a PNG file: Pillow reads past damage that the format's own checksums and lengths reveal."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from caveat.reasons import StudyRefused

from .limits import refuse_large_picture

SIGNATURE_BYTES = 8
FRAME_BYTES = 12
"""Length, type and checksum around a chunk's content."""
HEADER = struct.Struct(">IIBBBBB")
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By colour type."""
ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
"""First row, first column, and steps of the seven passes of an interlaced picture."""
BLOCK_BYTES = 2**20


def refuse_broken_png(data: bytes) -> int:
    """Accept a PNG whose chunks are whole up to its end, and whose pixels are all there.

    Args:
        data: the whole file, beginning with the signature.

    Returns:
        Bytes up to the picture's end.

    Raises:
        StudyRefused: TRUNCATED, CORRUPT, TOO_LARGE.

    Source: PNG specification (third edition), sections 5, 8 and 10.
    """
    pixels: list[memoryview] = []
    declared, end = 0, SIGNATURE_BYTES
    for number, (kind, content) in enumerate(_chunks(memoryview(data))):
        if (number == 0) != (kind == b"IHDR") or (kind == b"IHDR" and len(content) != HEADER.size):
            raise StudyRefused("CORRUPT", "no header where it belongs")
        if kind == b"IHDR":
            declared = _declared_bytes(content)
        if kind == b"IDAT":
            pixels.append(content)
        end += FRAME_BYTES + len(content)
    if not pixels:
        raise StudyRefused("CORRUPT", "no pixels in the file")
    found = _inflated_bytes(pixels, declared)
    if found < declared:
        raise StudyRefused("TRUNCATED", f"{declared} bytes of pixels declared, {found} are there")
    return end


def _chunks(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Type and content of each chunk up to the end of the picture, their checksums verified."""
    position, kind = SIGNATURE_BYTES, b""
    while kind != b"IEND":
        if position + FRAME_BYTES > len(view):
            raise StudyRefused("TRUNCATED", f"the file ends after {len(view)} bytes, without the picture's end")
        length, kind = struct.unpack_from(">I4s", view, position)
        end = position + 8 + length
        if end + 4 > len(view):
            raise StudyRefused("TRUNCATED", f"a chunk of {length} bytes, of which {len(view) - position - FRAME_BYTES} are there")
        if zlib.crc32(view[position + 4 : end]) != struct.unpack_from(">I", view, end)[0]:
            raise StudyRefused("CORRUPT", "a chunk's checksum is wrong")
        yield kind, view[position + 8 : end]
        position = end + 4


def _declared_bytes(header: memoryview) -> int:
    """Bytes of the pixels that a header declares, each row with its filter's number in front."""
    columns, rows, depth, colour, _, _, interlaced = HEADER.unpack(header)
    if colour not in CHANNELS or depth not in (1, 2, 4, 8, 16) or not rows or not columns:
        raise StudyRefused("CORRUPT", f"{rows} x {columns} pixels of {depth} bits, colour type {colour}")
    refuse_large_picture(rows, columns)
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    sizes = [(len(range(row, rows, down)), len(range(column, columns, right))) for row, column, down, right in passes]
    return sum(height * (1 + (width * CHANNELS[colour] * depth + 7) // 8) for height, width in sizes if width)


def _inflated_bytes(pieces: list[memoryview], enough: int) -> int:
    """How many bytes a deflated stream in pieces holds, counted up to `enough`."""
    stream, count = zlib.decompressobj(), 0
    try:
        for piece in pieces:
            rest: bytes | memoryview = piece
            while rest and count < enough and not stream.eof:
                count += len(stream.decompress(rest, BLOCK_BYTES))
                rest = stream.unconsumed_tail
    except zlib.error:
        raise StudyRefused("CORRUPT", "the pixels cannot be decompressed") from None
    return count
