"""A label map as the file that a client asks for."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import SimpleITK

from ..reasons import StudyRefused
from ..transforms.files.nifti_maps import write_nifti
from ..transforms.files.png_maps import write_png

VOLUMES = (".nii.gz", ".nii", ".nrrd", ".seg.nrrd", ".mha")
PICTURES = (".png", ".nrrd", ".tif", ".nii.gz")
"""The first of each is what a client gets that does not say."""
PIXELS = {
    "uint8": SimpleITK.sitkUInt8,
    "uint16": SimpleITK.sitkUInt16,
    "int16": SimpleITK.sitkInt16,
    "int32": SimpleITK.sitkInt32,
    "float32": SimpleITK.sitkFloat32,
}


def write_label(
    labels: np.ndarray, affine: np.ndarray, extension: str = "", dtype: str = "uint8", compress: bool = False
) -> Path:
    """Write into the temporary folder; the server removes the file when it is sent.

    Args:
        labels: uint8 (x, y, z), or (rows, columns) of a picture.
        affine: (4, 4), voxel to mm (RAS); of pictures it is not used: their pixels are counted from the first.
        extension: "" for NIfTI, and PNG for pictures.
        dtype: of the values.
        compress: whether formats that can are compressed; NIfTI says so by its extension.

    Raises:
        StudyRefused: WRONG_USAGE for an extension that is not written.
    """
    known = PICTURES if labels.ndim == 2 else VOLUMES
    extension = extension or known[0]
    if extension not in known:
        raise StudyRefused("WRONG_USAGE", f"result_extension is one of {', '.join(known)}")
    with tempfile.NamedTemporaryFile(suffix=extension, delete=False) as file:
        out = Path(file.name)
    with tempfile.TemporaryDirectory() as folder:
        aside = Path(folder) / f"label{known[0]}"
        if labels.ndim == 2:
            write_png(aside, labels)
        else:
            write_nifti(aside, labels, affine)
        SimpleITK.WriteImage(SimpleITK.Cast(SimpleITK.ReadImage(str(aside)), PIXELS[dtype]), str(out), compress)
    return out
