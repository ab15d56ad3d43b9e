"""What was computed on the grid of a series, as planes in the patient's space."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..files.arrays import affine_of
from ..image.lps import LPS_TO_RAS

if TYPE_CHECKING:
    import highdicom as hd


def volume_of(study: Mapping[Hashable, object], values: np.ndarray, space: str) -> hd.Volume:
    """A volume of the study as highdicom wants it.

    Args:
        study: whose grid is (columns, rows, slices), RAS, as series are read.
        values: (columns, rows, slices), or with one number a segment on a last axis, from segment 1.
        space: identifier of the frame of reference.
    """
    import highdicom as hd

    turned = np.ascontiguousarray(np.swapaxes(values, 0, 2))
    affine = np.diag([*LPS_TO_RAS, 1.0]) @ affine_of(study)  # a change of sign is its own inverse
    return hd.Volume(
        turned,
        affine[:, [2, 1, 0, 3]],
        coordinate_system="PATIENT",
        frame_of_reference_uid=space,
        channels={"SegmentNumber": range(1, values.shape[3] + 1)} if values.ndim > 3 else None,
    )
