"""One plane of pixels and what its header says of it: a classic file has one, an enhanced multi-frame file has many."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.uid import UID

from caveat.reasons import StudyRefused

from .functional_groups import FunctionalGroups
from .guarded_header import guarded_header
from .header_values import NOT_A_NUMBER, finite_numbers, numbers, text, whole_number
from .instance import Instance
from .volume_keys import classic_keys, enhanced_keys

NUCLEAR_MEDICINE = UID("1.2.840.10008.5.1.4.1.1.20")


@dataclass(frozen=True)
class Frame:
    """Everything that geometry and values need, whichever kind of file it came from.

    Args:
        instance: the file.
        index: of the frame in its file, from 0.
        orientation: row and column direction cosines (LPS), six numbers; None where absent or not finite.
        position: centre of the first pixel, mm (LPS); None where absent or not finite.
        pixel_spacing: mm between rows, between columns; None where absent. It may be no length at all (zero, NaN).
        stack: what tells one volume of a series from another (`volume_keys.py`). Never printed.
        rescale: the data set that holds RescaleSlope and RescaleIntercept of this frame or its ModalityLUTSequence (the file's
            own header, or the frame's PixelValueTransformation item); None where the frame has none.
        thickness: of the slice, mm, which is not the distance between slices; None where absent.
    """

    instance: Instance
    index: int
    orientation: tuple[float, ...] | None
    position: tuple[float, ...] | None
    pixel_spacing: tuple[float, float] | None
    stack: tuple[str, ...]
    rescale: Dataset | None
    thickness: float | None = None


def frames_of(instance: Instance) -> tuple[Frame, ...]:
    """The planes of one image object, in the order of the file.

    Raises:
        StudyRefused: UNSUPPORTED_MULTIFRAME, BAD_HEADER.
    """
    with guarded_header():
        return _frames_of(instance)


def _frames_of(instance: Instance) -> tuple[Frame, ...]:
    header = instance.header
    count = whole_number(header, "NumberOfFrames") if numbers(header, "NumberOfFrames") else 1
    if count is None or count < 1:
        raise StudyRefused("BAD_HEADER", "the number of frames is no number above zero")
    groups = FunctionalGroups.of(header)
    if groups is not None:
        if len(groups) != count:
            raise StudyRefused("BAD_HEADER", f"{count} frames declared, {len(groups)} described")
        return tuple(_enhanced(instance, groups, index) for index in range(count))
    if "MOSAIC" in text(header, "ImageType").split("\\"):
        raise StudyRefused("UNSUPPORTED_MULTIFRAME", "a mosaic: the slices of a volume side by side in one frame")
    if count > 1 or instance.sop_class == NUCLEAR_MEDICINE:
        found = "nuclear medicine" if count == 1 else f"{count} frames"
        raise StudyRefused("UNSUPPORTED_MULTIFRAME", f"{found} without a place of each")
    return (_classic(instance),)


def _classic(instance: Instance) -> Frame:
    header = instance.header
    return Frame(
        instance=instance,
        index=0,
        orientation=finite_numbers(header, "ImageOrientationPatient", 6),
        position=finite_numbers(header, "ImagePositionPatient", 3),
        pixel_spacing=_two(numbers(header, "PixelSpacing")),
        stack=classic_keys(header),
        rescale=_rescale(header),
        thickness=_thickness(header),
    )


def _enhanced(instance: Instance, groups: FunctionalGroups, index: int) -> Frame:
    def group(keyword: str) -> Dataset:
        return groups.item(keyword, index)

    measures = group("PixelMeasuresSequence")
    return Frame(
        instance=instance,
        index=index,
        orientation=finite_numbers(group("PlaneOrientationSequence"), "ImageOrientationPatient", 6),
        position=finite_numbers(group("PlanePositionSequence"), "ImagePositionPatient", 3),
        pixel_spacing=_two(numbers(measures, "PixelSpacing")),
        stack=enhanced_keys(groups, index, text(instance.header, "SOPInstanceUID") or str(instance.path)),
        rescale=_rescale(group("PixelValueTransformationSequence")) or _rescale(instance.header),
        thickness=_thickness(measures),
    )


def _two(found: tuple[float, ...]) -> tuple[float, float] | None:
    """Not absent, but no length, where there are not two."""
    if not found:
        return None
    return (found[0], found[1]) if len(found) == 2 else (NOT_A_NUMBER, NOT_A_NUMBER)


def _thickness(data: Dataset) -> float | None:
    found = finite_numbers(data, "SliceThickness", 1)
    return found[0] if found else None


def _rescale(data: Dataset) -> Dataset | None:
    return data if any(key in data for key in ("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence")) else None
