"""Checks of an image's values."""

from __future__ import annotations

import numpy as np

from caveat.reasons import StudyRefused


def refuse_constant(voxels: np.ndarray) -> None:
    """Args: voxels: (channels, *spatial). Raises: StudyRefused: CONSTANT_IMAGE, where no channel varies."""
    flat = voxels.reshape(len(voxels), -1)
    if (flat.min(axis=1) == flat.max(axis=1)).all():
        raise StudyRefused("CONSTANT_IMAGE", f"{flat.shape[1]} pixels or voxels of one value")


def refuse_non_finite(voxels: np.ndarray) -> None:
    """Args: voxels: any shape. Raises: StudyRefused: NON_FINITE_VOXELS, with their number."""
    wrong = voxels.size - int(np.count_nonzero(np.isfinite(voxels)))
    if wrong:
        raise StudyRefused("NON_FINITE_VOXELS", f"{wrong} of {voxels.size}")


def refuse_channels(voxels: np.ndarray, expected: int) -> None:
    """Args: voxels: (channels, *spatial). Raises: StudyRefused: WRONG_CHANNELS."""
    if len(voxels) != expected:
        raise StudyRefused("WRONG_CHANNELS", f"{len(voxels)} where the bundle reads {expected}")
