"""The hypotheses that a person may choose from."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import affine_of, array_of, is_picture
from .nifti_maps import write_nifti
from .tiff_maps import write_tiff
from .writer import Writer


class HypothesesWriter(Writer):
    """Label maps from the smallest hypothesis to the largest, as the result's table `hypotheses` numbers them: 4-D NIfTI, or
    multi-page TIFF for pictures. Any of them opens as a segmentation to start from."""

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: `ordered_hypotheses`, if any, is (hypotheses, *spatial) labels. Writes hypotheses.nii.gz or .tif."""
        if "ordered_hypotheses" not in study:
            return
        stack = array_of(study, "ordered_hypotheses").astype(np.uint8)
        if is_picture(study):
            write_tiff(folder / "hypotheses.tif", stack)
        else:
            write_nifti(folder / "hypotheses.nii.gz", np.moveaxis(stack, 0, -1), affine_of(study))

    @classmethod
    def example(cls) -> HypothesesWriter:
        """See `Writer.example`."""
        return cls()
