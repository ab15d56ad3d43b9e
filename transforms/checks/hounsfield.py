"""Whether values are Hounsfield units of a chest."""

from __future__ import annotations

import numpy as np

from caveat.reasons import StudyRefused

LOWEST, HIGHEST = -8192, 40_000
"""Scanners pad with values down to -3032 and clip metal at 30 710: what lies far beyond is another unit."""
AIR = -500
"""Lung is below, whatever is to be measured in it above."""


def refuse_no_lung(voxels: np.ndarray) -> None:
    """Args: voxels: of a region around a lesion of the lung.

    Raises:
        StudyRefused: NOT_HOUNSFIELD where a value is no Hounsfield unit; NO_LUNG where none is as low as lung, or none above.
    """
    lowest, highest = float(voxels.min()), float(voxels.max())
    if lowest < LOWEST or highest > HIGHEST:
        raise StudyRefused("NOT_HOUNSFIELD", f"{lowest:g} to {highest:g}")
    if lowest >= AIR or highest <= AIR:
        raise StudyRefused("NO_LUNG", f"{lowest:g} to {highest:g}, where some should lie below {AIR} and some above")
