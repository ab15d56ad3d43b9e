"""Where a NIfTI volume lies: from two affines, a voxel size and a unit that may contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.spatialimages import HeaderDataError

from caveat.reasons import StudyRefused

from ..checks.geometry import refuse_bad_affine, refuse_conflict, spacing_of
from ..image.stated_spacing import stated_spacing
from ..image.study_image import Stated

MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""By code in the lower three bits of xyzt_units: unknown (taken as mm, and flagged), metre, mm, micron."""
PIXDIM_TOLERANCE = 0.01


@np.errstate(invalid="ignore", over="ignore")  # what is not a number in the header is refused below
def read_geometry(fields: Nifti1Header, shape: Sequence[int], stated: Stated) -> dict[str, Any]:
    """The grid of a volume.

    The sform decides where it is coded, else the qform; both coded must agree but for a rigid motion. pixdim alone gives the
    voxel's size, but no orientation. A coded sform of unit length with no unit and a pixdim of zeros says that no spacing is
    known.

    Args:
        fields: nibabel's header.
        shape: voxels along x, y, z.
        stated: what the user states.

    Returns:
        `affine`, `original_affine`, `spacing_mm`, `spacing_source` and `flags` of `StudyImage`.

    Raises:
        StudyRefused: AFFINE_CONFLICT, NO_ORIENTATION, MISSING_SPACING, SINGULAR_AFFINE, BAD_AFFINE, SHEARED_AFFINE,
            IMPLAUSIBLE_SPACING, BAD_HEADER.

    Source: nifti1.h, "3D IMAGE (VOLUME) ORIENTATION AND LOCATION IN SPACE".
    """
    fields = fields.copy()
    scale, flags = _unit(fields)
    source = "NIfTI header"
    pixdim = np.asarray(fields["pixdim"][1:4], dtype=np.float64) * scale
    by_sform, by_qform = int(fields["sform_code"]) > 0, int(fields["qform_code"]) > 0
    if not by_sform and not (np.isfinite(pixdim) & (pixdim > 0)).all():
        if not stated.spacing_mm:
            raise StudyRefused("MISSING_SPACING")
        pixdim, source = np.array(stated_spacing(stated.spacing_mm, dimensions=3)), stated.spacing_source
        fields["pixdim"][1:4] = pixdim / scale
    if by_sform:
        original = np.asarray(fields.get_sform(), dtype=np.float64)
        if by_qform and refuse_conflict(_in_mm(original, scale), _in_mm(_qform(fields), scale), shape):
            flags.append("QFORM_MOVED")
    elif by_qform:
        original = _qform(fields)
    elif stated.assume_orientation:
        original, flags = fields.get_base_affine(), [*flags, "ORIENTATION_ASSUMED"]
    else:
        raise StudyRefused("NO_ORIENTATION")
    affine = _in_mm(original, scale)
    refuse_bad_affine(affine)
    spacing = spacing_of(affine)
    if by_sform and _states_no_size(fields, spacing):
        return _of_unknown_size(affine, original, stated)
    if not np.allclose(pixdim, spacing, rtol=PIXDIM_TOLERANCE, atol=0):
        flags.append("PIXDIM_DISAGREES")
    return {"affine": affine, "original_affine": original, "spacing_mm": spacing, "spacing_source": source, "flags": tuple(flags)}


def _states_no_size(fields: Nifti1Header, spacing: Sequence[float]) -> bool:
    """Whether a volume says how it lies and not how large its voxels are: no unit, no voxel size, an sform of unit length."""
    return int(fields["xyzt_units"]) & 7 == 0 and not fields["pixdim"][1:4].any() and np.allclose(spacing, 1.0)


def _of_unknown_size(affine: np.ndarray, original: np.ndarray, stated: Stated) -> dict[str, Any]:
    """The grid of such a volume, in voxels, or in mm where the user states them."""
    spacing = stated_spacing(stated.spacing_mm, dimensions=3) if stated.spacing_mm else None
    found = {"affine": affine @ np.diag([*(spacing or (1.0, 1.0, 1.0)), 1.0]), "original_affine": original, "flags": ()}
    return found | {"spacing_mm": spacing, "spacing_source": stated.spacing_source if spacing else ""}


def _unit(fields: Nifti1Header) -> tuple[float, list[str]]:
    """mm per unit, and flags."""
    code = int(fields["xyzt_units"]) & 7
    if code not in MM_PER_UNIT:
        raise StudyRefused("BAD_HEADER", f"unit of length {code}")
    return MM_PER_UNIT[code], ["SPACING_UNIT_UNSTATED"] if code == 0 else []


def _qform(fields: Nifti1Header) -> np.ndarray:
    """The affine of the quaternion. pixdim[0], its handedness, is 1 where it is 0 (nifti1.h)."""
    if fields["pixdim"][0] == 0:
        fields["pixdim"][0] = 1
    try:
        return np.asarray(fields.get_qform(), dtype=np.float64)
    except (HeaderDataError, ValueError):
        raise StudyRefused("BAD_AFFINE", "the quaternion is no rotation") from None


def _in_mm(affine: np.ndarray, scale: float) -> np.ndarray:
    return np.vstack([affine[:3] * scale, affine[3:]])
