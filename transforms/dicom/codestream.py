"""What a compressed frame says of itself. A decoder believes it, so it must agree with the header before one is called."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pydicom.uid import RLELossless

from caveat.reasons import StudyRefused

from .pixel_layout import JPEG_2000, PixelLayout

JPEG_START, JPEG_SCAN = 0xFFD8, 0xFFDA
JPEG_FRAMES = (0xFFC0, 0xFFC1, 0xFFC2, 0xFFC3, 0xFFF7)
"""Baseline, extended, progressive, lossless, and JPEG-LS."""
JPEG_2000_START = b"\xff\x4f\xff\x51"
JPEG_2000_BOX_START = b"\x00\x00\x00\x0cjP  "
CODESTREAM_BOX = b"jp2c"
END = b"\xff\xd9"
"""Of JPEG, JPEG-LS and JPEG 2000 alike."""
AFTER_END = b"\x00\xff"
"""Bytes with which encoders make the length of a frame even."""
RLE_HEADER_BYTES = 64


@dataclass(frozen=True)
class Codestream:
    """Args: rows, columns, components: of the image within; bits: of one value."""

    rows: int
    columns: int
    components: int
    bits: int


def refuse_other_codestream(data: bytes, layout: PixelLayout) -> int:
    """Accept a whole frame of the size that the header declares.

    Args:
        data: one compressed frame.
        layout: what the header says.

    Returns:
        Bits of one value in the codestream: those stored, or fewer, or up to those allocated, as some encoders write.

    Raises:
        StudyRefused: CODESTREAM_MISMATCH, TRUNCATED_PIXEL_DATA, CORRUPT_PIXEL_DATA.
    """
    if layout.syntax == RLELossless:
        rle_segments(data, layout)
        return layout.bits_allocated
    try:
        found = _jpeg_2000(data) if layout.syntax in JPEG_2000 else _jpeg(data)
    except (struct.error, IndexError):
        raise StudyRefused("TRUNCATED_PIXEL_DATA", "a compressed frame ends within its header") from None
    if (found.rows, found.columns, found.components) != (layout.rows, layout.columns, 1):
        sizes = f"{found.rows} x {found.columns} x {found.components}, the header says {layout.rows} x {layout.columns} x 1"
        raise StudyRefused("CODESTREAM_MISMATCH", f"a compressed frame has {sizes}")
    if found.bits > layout.bits_allocated:
        raise StudyRefused(
            "CODESTREAM_MISMATCH", f"a compressed frame has {found.bits} bits, the header says {layout.bits_stored}"
        )
    if not data.rstrip(AFTER_END).endswith(END):  # decoders fill what is missing
        raise StudyRefused("TRUNCATED_PIXEL_DATA", "a compressed frame has no end")
    return found.bits


def rle_segments(data: bytes, layout: PixelLayout) -> list[bytes]:
    """The byte planes of an RLE frame, the highest first.

    Raises:
        StudyRefused: CODESTREAM_MISMATCH, TRUNCATED_PIXEL_DATA.

    Source: DICOM PS3.5, annex G.5.
    """
    if len(data) < RLE_HEADER_BYTES:
        raise StudyRefused("TRUNCATED_PIXEL_DATA", "a compressed frame ends within its header")
    count, *starts = struct.unpack_from("<16L", data)
    if count != layout.bits_allocated // 8:
        raise StudyRefused("CODESTREAM_MISMATCH", f"{count} planes of bytes for {layout.bits_allocated} bits")
    starts = [*starts[:count], len(data)]
    if starts[0] != RLE_HEADER_BYTES or any(first > second for first, second in zip(starts, starts[1:], strict=False)):
        raise StudyRefused("TRUNCATED_PIXEL_DATA", "planes of bytes lie outside their frame")
    return [data[first:second] for first, second in zip(starts, starts[1:], strict=False)]


def _jpeg(data: bytes) -> Codestream:
    """By the frame header of JPEG or JPEG-LS. Source: ITU-T T.81, B.2.2; T.87, C.2.2."""
    position = 0
    while True:
        (marker,) = struct.unpack_from(">H", data, position)
        if marker < 0xFF00 or marker == JPEG_SCAN:
            raise StudyRefused("CORRUPT_PIXEL_DATA", "a compressed frame is no JPEG, or has no frame header")
        if marker == 0xFFFF:  # fill bytes may stand before a marker
            position += 1
        elif marker == JPEG_START:
            position += 2
        elif marker in JPEG_FRAMES:
            bits, rows, columns, components = struct.unpack_from(">BHHB", data, position + 4)
            return Codestream(rows, columns, components, bits)
        else:
            (length,) = struct.unpack_from(">H", data, position + 2)
            position += 2 + length


def _jpeg_2000(data: bytes) -> Codestream:
    """By the SIZ marker. Source: ITU-T T.800, A.5.1; boxes: I.4."""
    position = _jpeg_2000_start(data)
    if data[position : position + 4] != JPEG_2000_START:
        raise StudyRefused("CORRUPT_PIXEL_DATA", "a compressed frame is no JPEG 2000")
    right, bottom, left, top = struct.unpack_from(">4L", data, position + 8)
    (components,) = struct.unpack_from(">H", data, position + 40)
    depth, step_across, step_down = struct.unpack_from(">3B", data, position + 42)
    if (step_across, step_down) != (1, 1):
        raise StudyRefused("CODESTREAM_MISMATCH", "a compressed frame is stored at another resolution")
    return Codestream(bottom - top, right - left, components, (depth & 0x7F) + 1)


def _jpeg_2000_start(data: bytes) -> int:
    """Where the codestream begins; some files have it in a box, as a picture has."""
    position = 0
    while data.startswith(JPEG_2000_BOX_START) and data[position + 4 : position + 8] != CODESTREAM_BOX:
        length, name = struct.unpack_from(">L4s", data, position)
        if length < 8 and name != CODESTREAM_BOX:
            raise StudyRefused("CORRUPT_PIXEL_DATA", "a box has no length")
        position += length
    return position + 8 if position else 0
