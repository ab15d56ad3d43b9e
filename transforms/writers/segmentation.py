"""The segmentation, its objects, and where it was looked for."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..files.arrays import affine_of, array_of, is_picture
from ..files.nifti_maps import write_nifti
from ..files.png_maps import write_png
from .writer import Writer


class SegmentationWriter(Writer):
    """`segmentation`, `region` and `objects` as labels on the input's own grid: PNG for pictures, else NIfTI.

    Objects, from 1 to their number, take 16 bits.
    """

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: with (1, *spatial) labels. Writes segmentation.png or .nii.gz, the others likewise."""
        for key, depth in (("segmentation", np.uint8), ("region", np.uint8), ("objects", np.uint16)):
            if key not in study:
                continue
            labels = array_of(study, key)[0].astype(depth)
            if is_picture(study):
                write_png(folder / f"{key}.png", labels)
            else:
                write_nifti(folder / f"{key}.nii.gz", labels, affine_of(study))

    @classmethod
    def example(cls) -> SegmentationWriter:
        """See `Writer.example`."""
        return cls()
