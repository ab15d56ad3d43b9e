"""NIfTI volumes, NIfTI-1 and NIfTI-2 in one file, gzip or not."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from nibabel.nifti1 import Nifti1Image

from caveat.reasons import StudyRefused

from ..checks.limits import DEFLATE_RATIO, refuse_large_volume
from ..nifti_geometry import read_geometry
from ..nifti_header import HEADER_BYTES, NiftiHeader, read_header, sizeof_header
from ..reader import Reader, Stated, StudyImage

GZIP = b"\x1f\x8b"
CHUNK_VOXELS = 2**22


class NiftiReader(Reader):
    """Volumes (x, y, z), scaled by slope and intercept, on the grid that the header states without contradiction."""

    kind = "nifti"
    extensions = (".nii", ".nii.gz")

    def recognises(self, head: bytes) -> bool:
        """See `Reader`."""
        try:
            return sizeof_header(_start_of(head)) > 0
        except zlib.error:
            return True  # to be refused as CORRUPT_GZIP

    def read(self, file: BinaryIO, size: int, stated: Stated) -> StudyImage:
        """See `Reader`."""
        compressed = file.read(2) == GZIP
        file.seek(0)
        with _gzip_refusals():
            stream = gzip.GzipFile(fileobj=file) if compressed else file
            start = _read(stream, min(HEADER_BYTES))
            length = sizeof_header(start)
            if not length:
                raise StudyRefused("BAD_HEADER", "it does not state its own length")
            header = read_header(start + _read(stream, length - len(start)))
            geometry = read_geometry(header.fields, header.shape, stated)
            refuse_large_volume(header.shape, header.dtype.itemsize)
            _refuse_wrong_size(header, size, compressed)
            _skip(stream, header.offset - length)
            voxels = _read_voxels(stream, header)
            if stream.read(1):
                raise StudyRefused("SIZE_MISMATCH", f"more than the {header.stored_bytes} bytes of voxels declared")
        return StudyImage(voxels=voxels[None], **geometry)

    @staticmethod
    def example() -> tuple[bytes, np.ndarray]:
        """See `Reader`."""
        voxels = np.arange(5 * 4 * 3, dtype=np.int16).reshape(5, 4, 3)
        return Nifti1Image(voxels, np.diag([1.0, 2.0, 3.0, 1.0])).to_bytes(), voxels[None]


def _start_of(head: bytes) -> bytes:
    """The first bytes as they are, or what the first bytes of a gzip stream hold."""
    return zlib.decompressobj(wbits=31).decompress(head, max(HEADER_BYTES)) if head.startswith(GZIP) else head


@contextmanager
def _gzip_refusals() -> Iterator[None]:
    """Turn what a damaged gzip stream raises into a reason; plain files raise none of it."""
    try:
        yield
    except EOFError:
        raise StudyRefused("TRUNCATED", "the compressed file is cut") from None
    except (gzip.BadGzipFile, zlib.error):
        raise StudyRefused("CORRUPT_GZIP") from None


def _read(stream: BinaryIO, size: int) -> bytes:
    """Exactly so many bytes. Raises: StudyRefused: TRUNCATED."""
    data = stream.read(size)
    while len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            raise StudyRefused("TRUNCATED", "the file ends before its image does")
        data += more
    return data


def _skip(stream: BinaryIO, size: int) -> None:
    """Pass over the header's extensions: they are text, and never looked at."""
    while size > 0:
        size -= len(_read(stream, min(size, 2**20)))


def _refuse_wrong_size(header: NiftiHeader, size: int, compressed: bool) -> None:
    """Accept a file that can hold its image, before memory is taken for it.

    Raises:
        StudyRefused: TRUNCATED, SIZE_MISMATCH.
    """
    expected = header.offset + header.stored_bytes
    if size * (DEFLATE_RATIO if compressed else 1) < expected:
        raise StudyRefused("TRUNCATED", f"{expected} bytes declared, the file has {size}")
    if not compressed and size > expected:
        raise StudyRefused("SIZE_MISMATCH", f"{expected} bytes declared, the file has {size}")


def _read_voxels(stream: BinaryIO, header: NiftiHeader) -> np.ndarray:
    """Read and scale in pieces, so that a study takes little more memory than its float32 voxels.

    Returns:
        (x, y, z) float32.

    Raises:
        StudyRefused: TRUNCATED, NON_FINITE_VOXELS.
    """
    count = math.prod(header.shape)
    flat = np.empty(count, dtype=np.float32)
    wrong = 0
    for first in range(0, count, CHUNK_VOXELS):
        stored = np.frombuffer(_read(stream, min(CHUNK_VOXELS, count - first) * header.dtype.itemsize), dtype=header.dtype)
        piece = flat[first : first + len(stored)]
        with np.errstate(over="ignore", invalid="ignore"):  # counted below
            piece[:] = stored if header.slope is None else stored.astype(np.float64) * header.slope + header.intercept
        wrong += len(piece) - int(np.count_nonzero(np.isfinite(piece)))
    if wrong:
        raise StudyRefused("NON_FINITE_VOXELS", f"{wrong} of {count}")
    return np.ascontiguousarray(flat.reshape(header.shape, order="F"))
