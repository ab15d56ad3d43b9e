"""The deflated transfer syntax: inflated in pieces, and only after it is known how much comes out."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

from caveat.reasons import StudyRefused

from .element_limits import data_set_start

META_START = 132
"""Behind preamble and mark."""
PIECE_BYTES = 2**20
ALWAYS_ALLOWED_BYTES = 64 * 2**20
LARGEST_RATIO = 200
"""Images deflate to a half or a tenth; zlib's own bound is 1032, which only bombs and empty images come near."""


def inflate(path: Path, limit: int) -> bytes:
    """The data set of a deflated file, without preamble and meta group.

    It is inflated twice, since one million bytes may hold a thousand million: first to count, which takes one piece of memory.

    Args:
        path: of a file with a preamble.
        limit: bytes that it may become; in any case 200 times its size, or 64 MiB where that is more.

    Raises:
        StudyRefused: TOO_LARGE, TRUNCATED_PIXEL_DATA, CORRUPT_PIXEL_DATA.
    """
    data = path.read_bytes()
    packed = memoryview(data)[data_set_start(data, META_START) :]
    limit = min(limit, max(ALWAYS_ALLOWED_BYTES, LARGEST_RATIO * len(data)))
    count = 0
    for piece in _pieces(packed):
        count += len(piece)
        if count > limit:
            raise StudyRefused("TOO_LARGE", f"a deflated file of {len(data)} bytes holds more than {limit}")
    return b"".join(_pieces(packed))


def _pieces(packed: memoryview) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for start in range(0, len(packed), PIECE_BYTES):
        rest = bytes(packed[start : start + PIECE_BYTES])
        while rest and not inflater.eof:
            try:
                yield inflater.decompress(rest, PIECE_BYTES)
            except zlib.error:
                raise StudyRefused("CORRUPT_PIXEL_DATA", "a deflated file is damaged") from None
            rest = inflater.unconsumed_tail
    if not inflater.eof:
        raise StudyRefused("TRUNCATED_PIXEL_DATA", "a deflated file is cut off")
