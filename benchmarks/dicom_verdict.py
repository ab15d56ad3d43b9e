"""Whether what a reader made of a folder of DICOM files is right: judged against the formula that the files were made by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from dicom_cases import Case
from dicom_grid import measured_markers_mm, measured_volume_mm3, phantom
from dicom_phantoms import radiograph_picture

VOLUME_TOLERANCE = 0.005
MARKER_TOLERANCE_MM = 0.1
VALUE_TOLERANCE = 0.5
RADIOGRAPH_SPACING_MM = 0.2


@dataclass(frozen=True)
class Outcome:
    """What a reader did with one folder.

    Args:
        kind: "refused" or "right" or "wrong".
        detail: the error's code, or how far off it was.
    """

    kind: str
    detail: str = ""


def judge(case: Case, voxels: np.ndarray, affine: np.ndarray) -> Outcome:
    """Compare an image with the truth of its case.

    Args:
        voxels: (x, y, z), or with axes of length 1 beside; whatever the reader returned.
        affine: (4, 4), voxel index to mm, RAS.
    """
    if case.name == "monochrome1 radiograph":
        return judge_radiograph(np.squeeze(voxels), affine)
    if voxels.ndim != 3 or voxels.dtype.names:
        return Outcome("wrong", "colour" if voxels.dtype.names else f"{voxels.ndim} axes")
    found = []
    volume = measured_volume_mm3(voxels, affine) / case.grid.volume_mm3 - 1
    if not abs(volume) <= VOLUME_TOLERANCE:
        found.append(f"{volume:+.0%}".replace("%", " %"))
    shift = np.linalg.norm(measured_markers_mm(voxels, affine) - case.grid.markers_mm, axis=1)
    if np.isnan(shift).any():
        found.append("marker lost")
    elif shift.max() > MARKER_TOLERANCE_MM:
        found.append(f"{shift.max():.1f} mm")
    if not equal_values(voxels, phantom(case.grid)):
        found.append("I")
    return Outcome("wrong", " ".join(found)) if found else Outcome("right")


def judge_radiograph(picture: np.ndarray, affine: np.ndarray) -> Outcome:
    """Args: picture: (rows, columns) or (columns, rows); affine: (3, 3) or (4, 4)."""
    spacing = np.linalg.norm(affine[:2, :2], axis=0)
    found = [] if np.allclose(spacing, RADIOGRAPH_SPACING_MM, atol=1e-4) else [f"{spacing[0]:g} mm a pixel"]
    if not equal_values(picture, radiograph_picture()):
        found.append("I")
    return Outcome("wrong", " ".join(found)) if found else Outcome("right")


def equal_values(found: np.ndarray, true: np.ndarray) -> bool:
    """The same values, wherever they lie."""
    return found.size == true.size and bool(np.allclose(np.sort(found.ravel()), np.sort(true.ravel()), atol=VALUE_TOLERANCE))
