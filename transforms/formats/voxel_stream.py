"""Voxels from a stream that may be compressed, cut or longer than declared: read whole, in bounded pieces, or refused."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Protocol

import numpy as np

from caveat.reasons import StudyRefused

from ..checks.limits import DEFLATE_RATIO
from ..checks.whole_numbers import are_rounded

CHUNK_VOXELS = 2**22
BLOCK_BYTES = 2**16


class Stream(Protocol):
    """What is read here."""

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes, none at the end."""


class ZlibStream:
    """What a zlib stream holds, up to the end of the file. Args: file: at the stream's first byte."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.inflater = zlib.decompressobj()

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes, none at the end. Raises: EOFError: it is cut. StudyRefused: SIZE_MISMATCH: bytes lie behind it."""
        while not self.inflater.eof:
            piece = self.inflater.unconsumed_tail or self.file.read(BLOCK_BYTES)
            data = self.inflater.decompress(piece, size)
            if data:
                return data
            if not piece and not self.inflater.eof:
                raise EOFError
        if self.inflater.unused_data or self.file.read(1):
            raise StudyRefused("SIZE_MISMATCH", "bytes behind the compressed voxels")
        return b""


@contextmanager
def deflate_refusals() -> Iterator[None]:
    """Turn what a damaged gzip or zlib stream raises into a reason; plain files raise none of it."""
    try:
        yield
    except EOFError:
        raise StudyRefused("TRUNCATED", "the compressed file is cut") from None
    except (gzip.BadGzipFile, zlib.error):
        raise StudyRefused("CORRUPT_GZIP") from None


def read_exactly(stream: Stream, size: int) -> bytes:
    """Exactly so many bytes. Raises: StudyRefused: TRUNCATED."""
    data = stream.read(size)
    while len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            raise StudyRefused("TRUNCATED", "the file ends before its image does")
        data += more
    return data


def refuse_wrong_size(expected: int, present: int, compressed: bool) -> None:
    """Accept a file that can hold its image, before memory is taken for it.

    Args:
        expected: bytes that the header declares.
        present: bytes that are there.
        compressed: whether those are deflated.

    Raises:
        StudyRefused: TRUNCATED, SIZE_MISMATCH.
    """
    if present * (DEFLATE_RATIO if compressed else 1) < expected:
        raise StudyRefused("TRUNCATED", f"{expected} bytes declared, the file has {present}")
    if not compressed and present > expected:
        raise StudyRefused("SIZE_MISMATCH", f"{expected} bytes declared, the file has {present}")


def read_voxels(
    stream: Stream, shape: Sequence[int], dtype: np.dtype, slope: float | None = None, intercept: float = 0.0
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read and scale in pieces, so that a study takes little more memory than its float32 voxels.

    Args:
        stream: at the first voxel, its first axis the fastest.
        shape: voxels along x, y, z.
        dtype: as stored.
        slope, intercept: value = stored * slope + intercept; slope None where there is no scaling.

    Returns:
        (x, y, z) float32, and flags: VALUES_ROUNDED.

    Raises:
        StudyRefused: TRUNCATED, NON_FINITE_VOXELS; SIZE_MISMATCH where the stream goes on behind the last voxel.
    """
    count = math.prod(shape)
    flat = np.empty(count, dtype=np.float32)
    wrong, rounded = 0, False
    for first in range(0, count, CHUNK_VOXELS):
        stored = np.frombuffer(read_exactly(stream, min(CHUNK_VOXELS, count - first) * dtype.itemsize), dtype=dtype)
        piece = flat[first : first + len(stored)]
        with np.errstate(over="ignore", invalid="ignore"):  # counted below
            exact = stored if slope is None else stored.astype(np.float64) * slope + intercept
            piece[:] = exact
        rounded = rounded or are_rounded(exact, piece)
        wrong += len(piece) - int(np.count_nonzero(np.isfinite(piece)))
    if stream.read(1):
        raise StudyRefused("SIZE_MISMATCH", f"more than the {count * dtype.itemsize} bytes of voxels declared")
    if wrong:
        raise StudyRefused("NON_FINITE_VOXELS", f"{wrong} of {count}")
    return np.ascontiguousarray(flat.reshape(shape, order="F")), ("VALUES_ROUNDED",) * rounded
