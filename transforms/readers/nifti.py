"""NIfTI volumes, NIfTI-1 and NIfTI-2 in one file, gzip or not."""

from __future__ import annotations

import gzip
import zlib
from io import BytesIO
from typing import BinaryIO

import numpy as np
from nibabel.nifti1 import Nifti1Image

from ..checks.file_kind import refusal_of
from ..checks.limits import refuse_flat, refuse_large_volume
from ..formats.nifti_geometry import read_geometry
from ..formats.nifti_header import HEADER_BYTES, read_header, sizeof_header
from ..formats.voxel_stream import deflate_refusals, read_exactly, read_voxels, refuse_wrong_size
from ..image.study_image import Stated, StudyImage
from .reader import Reader

GZIP = b"\x1f\x8b"
LENGTH_BYTES = 4
"""At the start of a header, which say how long it is."""


class NiftiReader(Reader):
    """Volumes (x, y, z), scaled by slope and intercept, on the grid that the header states without contradiction."""

    kind = "nifti"
    extensions = (".nii", ".nii.gz")

    def recognises(self, head: bytes) -> bool:
        """See `Reader`."""
        if not head.startswith(GZIP):
            return sizeof_header(head) > 0
        try:
            return sizeof_header(gzip.GzipFile(fileobj=BytesIO(head)).read(LENGTH_BYTES)) > 0
        except (zlib.error, gzip.BadGzipFile):
            return True  # to be refused as CORRUPT_GZIP
        except EOFError:
            return True  # cut, to be refused; or a name, a comment or empty members fill it, and what follows decides

    def read(self, file: BinaryIO, size: int, stated: Stated) -> StudyImage:
        """See `Reader`."""
        compressed = file.read(2) == GZIP
        file.seek(0)
        with deflate_refusals():
            stream = gzip.GzipFile(fileobj=file) if compressed else file
            start = read_exactly(stream, min(HEADER_BYTES))
            length = sizeof_header(start)
            if not length:
                raise refusal_of(GZIP)
            header = read_header(start + read_exactly(stream, length - len(start)))
            geometry = read_geometry(header.fields, header.shape, stated)
            refuse_flat(header.shape)
            refuse_large_volume(header.shape, header.dtype.itemsize)
            refuse_wrong_size(header.offset + header.stored_bytes, size, compressed)
            _skip(stream, header.offset - length)
            voxels, flags = read_voxels(stream, header.shape, header.dtype, header.slope, header.intercept)
        return StudyImage(voxels=voxels[None], **geometry | {"flags": (*geometry["flags"], *flags)})

    @staticmethod
    def example() -> tuple[bytes, np.ndarray]:
        """See `Reader`."""
        voxels = np.arange(5 * 4 * 3, dtype=np.int16).reshape(5, 4, 3)
        return Nifti1Image(voxels, np.diag([1.0, 2.0, 3.0, 1.0])).to_bytes(), voxels[None]


def _skip(stream: gzip.GzipFile | BinaryIO, size: int) -> None:
    """Pass over the header's extensions: they are text, and never looked at."""
    while size > 0:
        size -= len(read_exactly(stream, min(size, 2**20)))
