"""Several label maps of one study in one file."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import affine_of, array_of, is_picture
from .nifti_maps import write_nifti
from .tiff_maps import write_tiff


def write_label_stack(study: Mapping[Hashable, Any], key: str, folder: Path, name: str) -> None:
    """Write `name`.tif, multi-page, for pictures, else `name`.nii.gz, 4-D; nothing where the study has no such maps.

    Args:
        key: of (maps, *spatial) labels.
    """
    if key not in study:
        return
    stack = array_of(study, key).astype(np.uint8)
    if is_picture(study):
        write_tiff(folder / f"{name}.tif", stack)
    else:
        write_nifti(folder / f"{name}.nii.gz", np.moveaxis(stack, 0, -1), affine_of(study))
