"""Labels and maps of a volume as NIfTI."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np


def write_nifti(path: Path, volume: np.ndarray, affine: np.ndarray, compression: int = 6, sized: bool = True) -> None:
    """Write with a fresh header: sform and qform are the affine (code 1), mm, empty text fields, no extensions.

    Args:
        path: ends in .nii.gz.
        volume: (x, y, z) or (x, y, z, n), uint8 or float32.
        affine: (4, 4), voxel to mm (RAS), without shear.
        compression: of gzip, 1 to 9. It decides the file's bytes: data lists name images by their sha256.
        sized: whether the size of a voxel is known; else the file says how the volume lies alone: an affine of unit length, no
            unit, a voxel size of 0.
    """
    image = nibabel.Nifti1Image(volume, affine)
    image.set_sform(affine, code=1)
    image.set_qform(affine if sized else None, code=int(sized))
    image.header.set_xyzt_units("mm" if sized else "unknown")
    if not sized:
        image.header["pixdim"][1:4] = 0
    # The gzip header would hold the file's name and the time: two runs would differ.
    with path.open("wb") as file, gzip.GzipFile("", "wb", compression, file, mtime=0) as stream:
        image.to_stream(stream)
