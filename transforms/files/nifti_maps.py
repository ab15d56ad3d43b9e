"""Labels and maps of a volume as NIfTI."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np


def write_nifti(path: Path, volume: np.ndarray, affine: np.ndarray, compression: int = 6) -> None:
    """Write with a fresh header: sform and qform are the affine (code 1), mm, empty text fields, no extensions.

    Args:
        path: ends in .nii.gz.
        volume: (x, y, z) or (x, y, z, n), uint8 or float32.
        affine: (4, 4), voxel to mm (RAS), without shear.
        compression: of gzip, 1 to 9. It decides the file's bytes: data lists name images by their sha256.
    """
    image = nibabel.Nifti1Image(volume, affine)
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    image.header.set_xyzt_units("mm")
    # The gzip header would hold the file's name and the time: two runs would differ.
    with path.open("wb") as file, gzip.GzipFile("", "wb", compression, file, mtime=0) as stream:
        image.to_stream(stream)
