"""From stored values to what they mean: Hounsfield units, Bq/mL. Each frame has its own slope."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from caveat.reasons import StudyRefused

from .frame import Frame
from .header_values import finite_numbers, text
from .modality_lut import ModalityLut, modality_lut_of
from .pixel_layout import PixelLayout

LARGEST_FLOAT32 = float(np.finfo(np.float32).max)
HOUNSFIELD = ("", "HU", "US")
"""Types of rescale that a CT in Hounsfield units has: none stated, or "unspecified". Others are maps of something else."""


@dataclass(frozen=True)
class LinearRescale:
    """Value = stored * slope + intercept."""

    slope: float
    intercept: float

    def apply(self, stored: np.ndarray, out: np.ndarray) -> None:
        """Computed in float64, rounded once. Args: stored: whole numbers; out: float32, of the same shape, filled."""
        np.add(np.multiply(stored, self.slope, dtype=np.float64), self.intercept, out=out, casting="same_kind")


IDENTITY = LinearRescale(1.0, 0.0)
Rescale = LinearRescale | ModalityLut


def rescales_of(frames: Sequence[Frame], layouts: Sequence[PixelLayout]) -> list[Rescale]:
    """One a frame.

    Args:
        frames: of one volume.
        layouts: of their files' pixels.

    Raises:
        StudyRefused: INCONSISTENT_RESCALE, BAD_RESCALE, CT_WITHOUT_RESCALE, NON_FINITE_VOXELS.
    """
    kinds = {_kind(frame.rescale) for frame in frames}
    if len(kinds) > 1:
        raise StudyRefused("INCONSISTENT_RESCALE", f"{len(kinds)} different ways in {len(frames)} slices")
    units = {(_type(frame.rescale), text(frame.instance.header, "Units")) for frame in frames}
    if len(units) > 1:
        raise StudyRefused("INCONSISTENT_RESCALE", f"{len(units)} different units in {len(frames)} slices")
    if frames[0].instance.header.get("Modality") == "CT" and (kinds == {"none"} or _type(frames[0].rescale) not in HOUNSFIELD):
        raise StudyRefused("CT_WITHOUT_RESCALE")
    return [_rescale(frame.rescale, layout) for frame, layout in zip(frames, layouts, strict=True)]


def _kind(data: Dataset | None) -> str:
    if data is None:
        return "none"
    return "table" if data.get("ModalityLUTSequence") else "linear"


def _type(data: Dataset | None) -> str:
    """What the values are after it, in the standard's words."""
    if data is None:
        return ""
    return text(data.ModalityLUTSequence[0], "ModalityLUTType") if _kind(data) == "table" else text(data, "RescaleType")


def _rescale(data: Dataset | None, layout: PixelLayout) -> Rescale:
    if data is None:
        return IDENTITY
    if _kind(data) == "table":
        return modality_lut_of(data, layout)
    slope, intercept = (finite_numbers(data, keyword, 1) for keyword in ("RescaleSlope", "RescaleIntercept"))
    if slope is None or intercept is None or slope[0] == 0:
        raise StudyRefused("BAD_RESCALE")
    largest = math.fabs(slope[0]) * max(-layout.lowest, layout.highest) + math.fabs(intercept[0])
    if not largest <= LARGEST_FLOAT32:
        raise StudyRefused("NON_FINITE_VOXELS", f"a rescale reaches {largest:.3g}")
    return LinearRescale(slope[0], intercept[0])
