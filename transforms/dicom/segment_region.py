"""Where the one segment of a DICOM segmentation lies."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian

from caveat.reasons import StudyRefused

from ..checks.limits import refuse_large_volume
from ..image.lps import LPS_TO_RAS
from ..image.region import Region, one_label, separate_parts
from .frame import Frame, frames_of
from .functional_groups import FunctionalGroups
from .header_values import finite_numbers, text, whole_number
from .instance import Instance
from .pixel_layout import NATIVE, SUPPORTED, PixelLayout, transfer_syntax_of
from .space import frame_of_reference, height_of, smallest_step
from .stored_values import container_values, within_bits

LABELMAP, FRACTIONAL, BINARY = "LABELMAP", "FRACTIONAL", "BINARY"
BACKGROUND = ("125040", "DCM")
"""What a described segment may be said to be."""
ORIENTATION_TOLERANCE = 1e-3
NEIGHBOURS = 1.5
"""Frames that are further apart, in steps between planes, do not touch."""


def segment_region(instance: Instance, label: int | None = None) -> Region:
    """The region of the pixels that belong to one segment; fractions from one half upwards do.

    Slices are as thick as they say, or as the smallest step between two frames where that is less: frames may be left out. To be
    called where what pydicom raises and says is caught.

    Args:
        instance: the file.
        label: number of the segment, None for the only one.

    Raises:
        StudyRefused: AMBIGUOUS_REGION, EMPTY_REGION, REGION_UNREADABLE, TOO_LARGE.

    Source: DICOM PS3.3, C.8.20.2 and C.8.20.4, with supplement 243 (label maps).
    """
    header = instance.header
    number = one_label(_classes(header), label, "segments")
    frames = frames_of(instance)
    orientation, (between_rows, between_columns) = _directions_and_spacing(frames)
    refuse_large_volume((len(frames), int(header.Rows), int(header.Columns)), 1)
    mask = _mask(instance, frames, number)
    normal = np.cross(*orientation)
    places = np.array([frame.position for frame in frames]) @ normal
    step = smallest_step(places)
    height = height_of(step, frames[0].thickness)
    edges = np.stack([orientation[0] * between_columns, orientation[1] * between_rows, normal * height], axis=1)
    return Region(
        points=_points(mask, frames, orientation, (between_rows, between_columns)) * LPS_TO_RAS,
        edges=LPS_TO_RAS[:, None] * edges,
        frame_of_reference=frame_of_reference(header),
        parts=separate_parts(_stacked(mask, places, max(height, min(step, _stated_step(header))))),
    )


def _classes(header: Dataset) -> list[int]:
    """Numbers of the segments that are not the background."""
    padding = header.get("PixelPaddingValue") if _kind(header) == LABELMAP else None
    described = header.get("SegmentSequence") or ()
    return [int(item.SegmentNumber) for item in described if item.SegmentNumber != padding and not _is_background(item)]


def _is_background(segment: Dataset) -> bool:
    codes = segment.get("SegmentedPropertyTypeCodeSequence") or ()
    return any((text(code, "CodeValue"), text(code, "CodingSchemeDesignator")) == BACKGROUND for code in codes)


def _kind(header: Dataset) -> str:
    """What a stored value means. Raises: StudyRefused: REGION_UNREADABLE."""
    kind = text(header, "SegmentationType")
    if kind not in (LABELMAP, FRACTIONAL, BINARY):
        raise StudyRefused("REGION_UNREADABLE", "a segmentation of no known type")
    return kind


def _stated_step(header: Dataset) -> float:
    """How far apart planes that follow each other are said to be, mm, which is more than they are thick where gaps were left.

    0 where it is not said.
    """
    groups = FunctionalGroups.of(header)
    found = groups and finite_numbers(groups.item("PixelMeasuresSequence", 0), "SpacingBetweenSlices", 1)
    return abs(found[0]) if found else 0.0


def _stacked(mask: np.ndarray, places: np.ndarray, step: float) -> np.ndarray:
    """The frames that hold some of the segment, in the order of their places, an empty one where some were left out.

    Args:
        mask: (frames, rows, columns).
        places: of the frames along their normal, mm.
        step: between planes that follow each other, mm.
    """
    held = mask.any(axis=(1, 2))
    mask, places = mask[held], places[held]
    order = np.argsort(places, kind="stable")
    behind_gap = np.flatnonzero(np.diff(places[order]) > NEIGHBOURS * step) + 1
    return np.insert(mask[order], behind_gap, False, axis=0)


def _directions_and_spacing(frames: Sequence[Frame]) -> tuple[np.ndarray, np.ndarray]:
    """Directions of rows and of columns (LPS), and mm between rows and between columns, the same for all frames.

    Returns:
        (2, 3) and (2,).

    Raises:
        StudyRefused: REGION_UNREADABLE.
    """
    if any(None in (frame.orientation, frame.position, frame.pixel_spacing) for frame in frames):
        raise StudyRefused("REGION_UNREADABLE", "a frame does not say where it lies")
    every = np.array([frame.orientation for frame in frames])
    spacing = np.array([frame.pixel_spacing for frame in frames])
    alike = np.abs(every - every[0]).max() < ORIENTATION_TOLERANCE and np.allclose(spacing, spacing[0], rtol=1e-3)
    along = every[0].reshape(2, 3)
    if not alike or not np.allclose(along @ along.T, np.eye(2), atol=ORIENTATION_TOLERANCE) or not (spacing > 0).all():
        raise StudyRefused("REGION_UNREADABLE", "frames of several orientations or spacings, or of none")
    return along, spacing[0]


def _mask(instance: Instance, frames: Sequence[Frame], number: int) -> np.ndarray:
    """Which pixels belong to a segment. Returns: (frames, rows, columns) bool. Raises: StudyRefused: REGION_UNREADABLE."""
    header, kind = instance.header, _kind(instance.header)
    pixels = _pixels(instance, len(frames))
    if kind == LABELMAP:
        return pixels == number
    highest = whole_number(header, "MaximumFractionalValue") if kind == FRACTIONAL else 1
    if not highest or highest < 1:
        raise StudyRefused("REGION_UNREADABLE", "fractions of no stated whole")
    groups = FunctionalGroups.of(header)
    named = [groups and groups.item("SegmentIdentificationSequence", index) for index in range(len(frames))]
    numbers = [item.get("ReferencedSegmentNumber") if item else None for item in named]
    if None in numbers and len(header.SegmentSequence) > 1:
        raise StudyRefused("REGION_UNREADABLE", f"{numbers.count(None)} frames do not say which segment they are of")
    own = [found in (None, number) for found in numbers]
    return (pixels >= highest / 2) & np.array(own)[:, None, None]


def _pixels(instance: Instance, frames: int) -> np.ndarray:
    """(frames, rows, columns), as stored. Raises: StudyRefused: REGION_UNREADABLE, and as `container_values`."""
    header, syntax = instance.header, transfer_syntax_of(instance)
    rows, columns, bits = int(header.Rows), int(header.Columns), int(header.BitsAllocated)
    if bits == 1 and syntax in NATIVE:
        return _single_bits(instance, (frames, rows, columns))
    if bits == 1 or syntax not in SUPPORTED:
        name = syntax.name if syntax.name != syntax else "an unknown transfer syntax"
        raise StudyRefused("REGION_UNREADABLE", f"a segmentation of {bits} bits in {name}")
    layout = PixelLayout(syntax, rows, columns, frames, bits, int(header.BitsStored), signed=False)
    return np.stack([within_bits(pixels, layout) for pixels in container_values(instance, layout, range(frames))])


def _single_bits(instance: Instance, shape: tuple[int, int, int]) -> np.ndarray:
    """Pixels of one bit each, the first in the lowest bit of the first byte; of the first word where words are written.

    Returns:
        (frames, rows, columns).

    Raises:
        StudyRefused: REGION_UNREADABLE.

    Source: DICOM PS3.5, 8.1.1 and 8.2.
    """
    element, count = dcmread(instance.path)["PixelData"], math.prod(shape)
    in_words = transfer_syntax_of(instance) == ExplicitVRBigEndian and element.VR == "OW"
    data = np.frombuffer(element.value, ">u2" if in_words else np.uint8)
    data = data.astype("<u2").view(np.uint8) if in_words else data
    size = math.ceil(count / 8)
    if len(data) not in (size, size + size % 2):  # more where each frame, or each pixel, begins a byte of its own
        raise StudyRefused("REGION_UNREADABLE", f"{count} pixels of one bit declared, {len(data)} bytes are there")
    return np.unpackbits(data, count=count, bitorder="little").reshape(shape)


def _points(mask: np.ndarray, frames: Sequence[Frame], orientation: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Middles of the first and the last pixel of each row (LPS). Args: mask: (frames, rows, columns)."""
    lines = np.argwhere(mask.any(axis=2))
    if not len(lines):
        raise StudyRefused("EMPTY_REGION", "no pixel in the segment")
    lit = mask[lines[:, 0], lines[:, 1]]
    ends = lit.argmax(axis=1), lit.shape[1] - 1 - lit[:, ::-1].argmax(axis=1)
    along_row, along_column = orientation
    between_rows, between_columns = spacing
    start = np.array([frame.position for frame in frames])[lines[:, 0]] + lines[:, 1:] * between_rows * along_column
    return np.concatenate([start + end[:, None] * between_columns * along_row for end in ends])
