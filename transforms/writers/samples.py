"""The stacked draws."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import affine_of, array_of, is_picture
from .nifti_maps import write_nifti
from .tiff_maps import write_tiff
from .writer import Writer


class SamplesWriter(Writer):
    """The label map of every draw, where draws were kept: multi-page TIFF for pictures, else 4-D NIfTI."""

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: `samples`, if any, is (draws, *spatial) labels. Writes samples.tif or samples.nii.gz."""
        if "samples" not in study:
            return
        samples = array_of(study, "samples").astype(np.uint8)
        if is_picture(study):
            write_tiff(folder / "samples.tif", samples)
        else:
            write_nifti(folder / "samples.nii.gz", np.moveaxis(samples, 0, -1), affine_of(study))

    @classmethod
    def example(cls) -> SamplesWriter:
        """See `Writer.example`."""
        return cls()
