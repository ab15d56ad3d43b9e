"""Whether a series says that it has more images than are here: nothing else tells of a slice that is missing at an end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pydicom.dataset import Dataset

from .frame import Frame
from .header_values import private_text, text, whole_number

PRIVATE_SLICES = ((0x2001, "Philips Imaging DD 001", 0x18), (0x0021, "GEMS_RELA_01", 0x4F))
"""Group, creator and element of two makers' own number of slices."""


def is_short_of_images(frames: Sequence[Frame]) -> bool:
    """Whether fewer images are here than an acquisition, or the whole series, is said to have.

    Args:
        frames: all of a series; copies count once.

    Source: DICOM PS3.3, C.7.6.1 (Images in Acquisition); PS3.4, C.3.4 (Number of Series Related Instances).
    """
    found: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    stated: dict[str, int] = defaultdict(int)
    for frame in frames:
        header = frame.instance.header
        acquisition = text(header, "AcquisitionNumber")
        found[acquisition].add((frame.position, frame.stack))
        stated[acquisition] = max(stated[acquisition], whole_number(header, "ImagesInAcquisition") or 0)
    whole = max(_instances_stated(frame.instance.header) for frame in frames)
    instances = {frame.instance.path for frame in frames}
    return len(instances) < whole or any(len(found[acquisition]) < count for acquisition, count in stated.items())


def _instances_stated(header: Dataset) -> int:
    """How many the series has, 0 where it is not said; of PET that moves, so many slices at each of its times."""
    times = whole_number(header, "NumberOfTimeSlices") or 0
    beats = (whole_number(header, "NumberOfRRIntervals") or 0) * (whole_number(header, "NumberOfTimeSlots") or 0)
    slices = whole_number(header, "NumberOfSlices") or 0
    return max(whole_number(header, "NumberOfSeriesRelatedInstances") or 0, slices * max(times, beats))


def slices_stated(header: Dataset) -> int:
    """How many a volume of the series has, 0 where it is not said. Source: DICOM PS3.3, C.8.9.1 (PET)."""
    private = (private_text(header, *place) for place in PRIVATE_SLICES)
    return whole_number(header, "NumberOfSlices") or max(int(found) if found.isdecimal() else 0 for found in private)
