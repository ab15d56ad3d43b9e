"""An image as it was read, and what was stated beside its file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HEAD_BYTES = 4096
"""What a reader sees of a file before it says whether the file is its own."""


@dataclass(frozen=True)
class Stated:
    """What the user or a data list states beside the file.

    Args:
        spacing_mm: one number for every axis, or one per spatial axis; used only where the file carries none.
        assume_orientation: accept volumes that do not say how they lie.
        series: number of the DICOM series to read, as `caveat check` counts them; None lets the bundle's rules choose.
        allow_gaps: interpolate missing slices of a DICOM series, flagged.
        allow_tilt: read a DICOM series whose slices are not stacked along their normal, flagged.
        spacing_source: who states the spacing, as it stands in results.

    Raises:
        ValueError: a spacing that is not above zero.
    """

    spacing_mm: tuple[float, ...] = ()
    assume_orientation: bool = False
    series: int | None = None
    allow_gaps: bool = False
    allow_tilt: bool = False
    spacing_source: str = "stated by the user"

    def __post_init__(self) -> None:
        if not all(0 < spacing < float("inf") for spacing in self.spacing_mm):
            raise ValueError(f"spacing must be above zero, got {self.spacing_mm}")


@dataclass(frozen=True)
class StudyImage:
    """An image as it was read, and what the file says of its grid.

    Args:
        voxels: (channels, *spatial) float32, the stored intensities; rows, columns for pictures, x, y, z for volumes.
        affine: (4, 4) float64, voxel index to mm (RAS), or to pixels where no spacing is known.
        original_affine: (4, 4) float64, as in the file, whatever its unit.
        spacing_mm: mm per spatial axis, None where it is not known.
        spacing_source: where the spacing comes from, "" where it is not known.
        flags: reason codes of what was accepted all the same.
        frame_of_reference: sha256 of the identifier of the space that the image lies in, "" where the file has none.
        body_side: "left", "right" or "both" of a paired part, "" where the file does not say.
        files: of DICOM, those that the pixels of its first channel come from, in the order of the slices.
    """

    voxels: np.ndarray
    affine: np.ndarray
    original_affine: np.ndarray
    spacing_mm: tuple[float, ...] | None
    spacing_source: str
    flags: tuple[str, ...] = ()
    frame_of_reference: str = ""
    body_side: str = ""
    files: tuple[Path, ...] = field(default=(), compare=False)
