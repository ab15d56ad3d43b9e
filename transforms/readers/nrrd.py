"""NRRD volumes in one file (.nrrd)."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from ..formats.nrrd_header import read_nrrd_header
from ..formats.text_volume import read_text_volume
from ..image.study_image import Stated, StudyImage
from .reader import Reader


class NrrdReader(Reader):
    """Volumes (x, y, z) of one number a voxel. A study is one file, known by its hash: two files are refused."""

    kind = "nrrd"
    extensions = (".nrrd", ".nhdr")

    def recognises(self, head: bytes) -> bool:
        """See `Reader`."""
        return head.startswith(b"NRRD000")

    def read(self, file: BinaryIO, size: int, stated: Stated) -> StudyImage:
        """See `Reader`."""
        return read_text_volume(file, size, read_nrrd_header(file), stated, "NRRD header")

    @staticmethod
    def example() -> tuple[bytes, np.ndarray]:
        """See `Reader`."""
        voxels = np.arange(5 * 4 * 3, dtype="<i2").reshape(5, 4, 3)
        header = (
            b"NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 5 4 3\n"
            b"space directions: (1,0,0) (0,2,0) (0,0,3)\nkinds: domain domain domain\nendian: little\nencoding: raw\n"
            b"space origin: (0,0,0)\n\n"
        )
        return header + voxels.tobytes(order="F"), voxels[None]
