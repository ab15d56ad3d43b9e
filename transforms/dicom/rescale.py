"""From stored values to what they mean: Hounsfield units, Bq/mL. Each frame has its own slope."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from caveat.reasons import StudyRefused

from ..checks.scaling import absurdity
from ..checks.whole_numbers import are_rounded
from .frame import Frame
from .header_values import finite_numbers, text
from .modality_lut import ModalityLut, modality_lut_of
from .pixel_layout import PixelLayout

SMALLEST_STEP_HU, LARGEST_STEP_HU, FURTHEST_START_HU = 1e-4, 100.0, 1e5
"""Extended scales have 10, from -10240."""
HOUNSFIELD, UNSPECIFIED = "HU", "US"
"""Types of rescale that a CT in Hounsfield units may state. Others are maps of something else."""
CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
"""Single slices; the class of enhanced objects, and that of converted ones, begin like it."""
FEWEST_BITS = 9
"""Of Hounsfield units that are not called so: what is stored in a byte was windowed for a screen."""


@dataclass(frozen=True)
class LinearRescale:
    """Value = stored * slope + intercept."""

    slope: float
    intercept: float

    def apply(self, stored: np.ndarray, out: np.ndarray) -> None:
        """Computed in float64, rounded once. Args: stored: whole numbers; out: float32, of the same shape, filled."""
        np.add(np.multiply(stored, self.slope, dtype=np.float64), self.intercept, out=out, casting="same_kind")

    def rounds(self, stored: np.ndarray, out: np.ndarray) -> bool:
        """Whether `apply` could not hold whole numbers. Args: as of `apply`, done."""
        return are_rounded(np.multiply(stored, self.slope, dtype=np.float64) + self.intercept, out)


IDENTITY = LinearRescale(1.0, 0.0)
Rescale = LinearRescale | ModalityLut


def rescales_of(frames: Sequence[Frame], layouts: Sequence[PixelLayout]) -> list[Rescale]:
    """One a frame.

    Args:
        frames: of one volume.
        layouts: of their files' pixels.

    Raises:
        StudyRefused: INCONSISTENT_RESCALE, BAD_RESCALE, CT_WITHOUT_RESCALE.
    """
    kinds = {_kind(frame.rescale) for frame in frames}
    if len(kinds) > 1:
        raise StudyRefused("INCONSISTENT_RESCALE", f"{len(kinds)} different ways in {len(frames)} slices")
    units = {(_type(frame), text(frame.instance.header, "Units")) for frame in frames}
    if len(units) > 1:
        raise StudyRefused("INCONSISTENT_RESCALE", f"{len(units)} different units in {len(frames)} slices")
    polarities = {text(frame.instance.header, "PhotometricInterpretation") for frame in frames}
    if kinds == {"none"} and len(polarities) > 1:  # nothing says that only their display differs
        raise StudyRefused("INCONSISTENT_RESCALE", f"{len(polarities)} different polarities in {len(frames)} slices")
    is_ct = text(frames[0].instance.header, "Modality") == "CT"
    if is_ct and (kinds == {"none"} or _type(frames[0]) not in (HOUNSFIELD, UNSPECIFIED)):
        raise StudyRefused("CT_WITHOUT_RESCALE")
    if is_ct and not all(map(_may_be_hounsfield, frames, layouts)):
        raise StudyRefused("CT_WITHOUT_RESCALE")
    return [_rescale(frame, layout) for frame, layout in zip(frames, layouts, strict=True)]


def _may_be_hounsfield(frame: Frame, layout: PixelLayout) -> bool:
    """Whether a CT's values are called Hounsfield units, or are at least of a CT and no picture of a screen."""
    if _stated_type(frame.rescale) == HOUNSFIELD:
        return True
    return frame.instance.sop_class.startswith(CT_STORAGE) and layout.bits_stored >= FEWEST_BITS


def _kind(data: Dataset | None) -> str:
    if data is None:
        return "none"
    return "table" if data.get("ModalityLUTSequence") else "linear"


def _type(frame: Frame) -> str:
    """What the values are after it; of a CT with a slope Hounsfield units where they are not named.

    Source: DICOM PS3.3, C.8.2.1.
    """
    is_ct = text(frame.instance.header, "Modality") == "CT" and _kind(frame.rescale) == "linear"
    return _stated_type(frame.rescale) or (HOUNSFIELD if is_ct else "")


def _stated_type(data: Dataset | None) -> str:
    """The same in the standard's words, which are in capitals; "" where they are not named."""
    if data is None:
        return ""
    found = text(data.ModalityLUTSequence[0], "ModalityLUTType") if _kind(data) == "table" else text(data, "RescaleType")
    return found.upper()


def _rescale(frame: Frame, layout: PixelLayout) -> Rescale:
    data = frame.rescale
    if data is None:
        return IDENTITY
    if _kind(data) == "table":
        table = modality_lut_of(data, layout)
        _refuse_second(data, table)
        return table
    if frame.instance.header.get("ModalityLUTSequence"):
        raise StudyRefused("BAD_RESCALE", "a table for all frames beside a slope for each")
    found = _linear(data)
    absurd = absurdity(found.slope, found.intercept)
    if text(frame.instance.header, "Modality") == "CT" and not _may_be_steps_of_hounsfield(found):
        absurd = f"steps of {found.slope:.3g} HU from {found.intercept:.3g}"
    if absurd:
        raise StudyRefused("BAD_RESCALE", absurd)
    return found


def _may_be_steps_of_hounsfield(found: LinearRescale) -> bool:
    in_range = SMALLEST_STEP_HU <= math.fabs(found.slope) <= LARGEST_STEP_HU
    return in_range and math.fabs(found.intercept) <= FURTHEST_START_HU


def _linear(data: Dataset) -> LinearRescale:
    """Raises: StudyRefused: BAD_RESCALE."""
    slope, intercept = (finite_numbers(data, keyword, 1) for keyword in ("RescaleSlope", "RescaleIntercept"))
    if slope is None or intercept is None or slope[0] == 0:
        raise StudyRefused("BAD_RESCALE")
    return LinearRescale(slope[0], intercept[0])


def _refuse_second(data: Dataset, table: ModalityLut) -> None:
    """A table and a slope exclude each other, unless they say the same.

    Raises:
        StudyRefused: BAD_RESCALE.

    Source: DICOM PS3.3, C.11.1.
    """
    if "RescaleSlope" not in data and "RescaleIntercept" not in data:
        return
    values = np.empty(len(table.values), dtype=np.float32)
    _linear(data).apply(table.first + np.arange(len(values)), values)
    if not np.array_equal(values, table.values):
        raise StudyRefused("BAD_RESCALE", "a table and a slope that say different things")
