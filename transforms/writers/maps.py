"""Probability and uncertainty maps."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..files.arrays import affine_of, array_of, foreground_probability, is_picture
from ..files.nifti_maps import write_nifti
from ..files.tiff_maps import write_tiff
from .writer import Writer

MAPS = (
    *("probability", "lowest_probability", "entropy", "expected_entropy", "mutual_information", "variance"),
    *("evidence", "evidence_sd", "evidence_share"),
)
"""Every map a study may have."""
WANTED = {"all": MAPS, "some": ("probability", "mutual_information", "evidence", "evidence_share"), "none": ()}

FASTEST = 1
"""Compression of maps, whose bits are mostly noise: a higher level makes 1 % less in twice the time."""


class MapsWriter(Writer):
    """Maps as float32 on the input's own grid: TIFF for pictures, else NIfTI.

    Args:
        which: of the study's maps are wanted, see `WANTED`; those it does not have are left out.

    Raises:
        ValueError: another word.
    """

    def __init__(self, which: str = "all") -> None:
        if which not in WANTED:
            raise ValueError(f"maps are {', '.join(WANTED)}, got {which!r}")
        self.names = WANTED[which]

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: with maps (channels, *spatial). Writes <name>.tif (a page a channel) or .nii.gz (channels last)."""
        for name in self.names:
            if name not in study:
                continue
            values = foreground_probability(study) if name == "probability" else array_of(study, name)
            values = values.astype(np.float32)
            if is_picture(study):
                write_tiff(folder / f"{name}.tif", values)
            else:
                volume = values[0] if len(values) == 1 else np.moveaxis(values, 0, -1)
                write_nifti(folder / f"{name}.nii.gz", volume, affine_of(study), FASTEST)

    @classmethod
    def example(cls) -> MapsWriter:
        """See `Writer.example`."""
        return cls()
