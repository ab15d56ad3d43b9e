"""MetaImage volumes in one file (.mha)."""

from __future__ import annotations

import re
from typing import BinaryIO

import numpy as np

from ..formats.metaimage_header import read_metaimage_header
from ..formats.text_volume import read_text_volume
from ..image.study_image import Stated, StudyImage
from .reader import Reader

START = re.compile(rb"(Comment *=[^\r\n]*\r?\n)?(ObjectType *= *Image\s|NDims *= *\d)")


class MetaImageReader(Reader):
    """Volumes (x, y, z) of one number a voxel. A study is one file, known by its hash: two files are refused."""

    kind = "metaimage"
    extensions = (".mha", ".mhd")

    def recognises(self, head: bytes) -> bool:
        """See `Reader`."""
        return START.match(head) is not None

    def read(self, file: BinaryIO, size: int, stated: Stated) -> StudyImage:
        """See `Reader`."""
        return read_text_volume(file, size, read_metaimage_header(file), stated, "MetaImage header")

    @staticmethod
    def example() -> tuple[bytes, np.ndarray]:
        """See `Reader`."""
        voxels = np.arange(5 * 4 * 3, dtype="<i2").reshape(5, 4, 3)
        header = (
            b"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = False\n"
            b"TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 0 0 0\nElementSpacing = 1 2 3\nDimSize = 5 4 3\n"
            b"ElementType = MET_SHORT\nElementDataFile = LOCAL\n"
        )
        return header + voxels.tobytes(order="F"), voxels[None]
