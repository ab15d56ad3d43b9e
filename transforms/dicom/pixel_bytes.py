"""The pixels of a file as they are stored: read only where as many are there as the header declares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import cast

import numpy as np
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames, parse_basic_offsets, parse_fragments
from pydicom.filereader import read_dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian

from caveat.reasons import StudyRefused

from .deflated import inflate
from .element_limits import UNDEFINED
from .instance import Instance, PixelPlace
from .pixel_layout import NATIVE, PixelLayout

PIXEL_DATA = 0x7FE00010
NEEDED_TAGS = [PIXEL_DATA, 0x7FE00001, 0x7FE00002]
"""With the tables of long offsets that may stand before compressed pixels."""
DEFERRED_BYTES = 4096
"""Longer values are passed over; of these only pixels are wanted, and they are read frame by frame."""
LARGEST_INFLATED_HEADER_BYTES = 64 * 2**20


def refuse_short_file(instance: Instance, layout: PixelLayout) -> None:
    """Args: instance: not opened, only its size is looked at. Raises: StudyRefused: TRUNCATED_PIXEL_DATA, UNREADABLE_FILE."""
    try:
        present = instance.path.stat().st_size
    except OSError as error:
        raise StudyRefused("UNREADABLE_FILE", type(error).__name__) from None
    if layout.syntax in NATIVE and layout.syntax != DeflatedExplicitVRLittleEndian:
        _refuse_wrong_length(layout, present, exactly=False)


def native_frames(instance: Instance, layout: PixelLayout, indices: Sequence[int]) -> Iterator[np.ndarray]:
    """Uncompressed frames, one at a time.

    Args:
        layout: what the header says.
        indices: of frames in the file.

    Yields:
        (rows, columns), of `layout.dtype`, unused bits as they are.

    Raises:
        StudyRefused: TRUNCATED_PIXEL_DATA, SIZE_MISMATCH, UNSUPPORTED_PIXEL_FORMAT.
    """
    if layout.syntax == DeflatedExplicitVRLittleEndian:
        yield from _deflated_frames(instance, layout, indices)
        return
    place = _native_place(instance, layout)
    _refuse_wrong_length(layout, place.length, exactly=True)
    with instance.path.open("rb") as file:
        for index in indices:
            file.seek(place.offset + index * layout.frame_bytes)
            pixels = np.fromfile(file, layout.dtype, layout.rows * layout.columns)
            if len(pixels) < layout.rows * layout.columns:
                raise StudyRefused("TRUNCATED_PIXEL_DATA", f"the file ends within frame {index + 1} of {layout.frames}")
            yield pixels.reshape(layout.rows, layout.columns)


def _native_place(instance: Instance, layout: PixelLayout) -> PixelPlace:
    """Where the pixels stand. Raises: StudyRefused: UNSUPPORTED_PIXEL_FORMAT."""
    if instance.pixels is None:  # a file that ends before them was refused
        raise StudyRefused("UNSUPPORTED_PIXEL_FORMAT", "pixels of real numbers")
    if layout.syntax == ExplicitVRBigEndian and layout.bits_allocated == 8 and instance.pixels.vr == "OW":
        raise StudyRefused("UNSUPPORTED_PIXEL_FORMAT", "bytes in pairs, the second first")
    return instance.pixels


def _deflated_frames(instance: Instance, layout: PixelLayout, indices: Sequence[int]) -> Iterator[np.ndarray]:
    data = inflate(instance.path, layout.frame_bytes * layout.frames + LARGEST_INFLATED_HEADER_BYTES)
    found = _element(read_dataset(BytesIO(data), is_implicit_VR=False, is_little_endian=True, defer_size=DEFERRED_BYTES))
    _refuse_wrong_length(layout, min(found.length, len(data) - found.value_tell), exactly=True)
    for index in indices:
        start = found.value_tell + index * layout.frame_bytes
        pixels = np.frombuffer(data, layout.dtype, layout.rows * layout.columns, start)
        yield pixels.reshape(layout.rows, layout.columns)


def encoded_frames(instance: Instance, layout: PixelLayout, indices: Sequence[int]) -> Iterator[bytes]:
    """Compressed frames, one at a time.

    Args:
        layout: what the header says.
        indices: of frames in the file, ascending.

    Raises:
        StudyRefused: TRUNCATED_PIXEL_DATA, SIZE_MISMATCH, CORRUPT_PIXEL_DATA.
    """
    data = dcmread(instance.path, force=True, specific_tags=NEEDED_TAGS)
    if _element(data).length != UNDEFINED:
        raise StudyRefused("CORRUPT_PIXEL_DATA", "compressed pixels are not in pieces")
    pixels = data.PixelData
    tables = [data.get(keyword) for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")]
    file = BytesIO(pixels)
    parse_basic_offsets(file)
    pieces, _ = parse_fragments(file)
    if pieces < layout.frames:
        raise StudyRefused("TRUNCATED_PIXEL_DATA", f"{pieces} pieces for {layout.frames} frames")
    wanted, count = set(indices), 0
    offsets = tuple(tables) if all(tables) else None
    for count, frame in enumerate(generate_frames(pixels, number_of_frames=layout.frames, extended_offsets=offsets), start=1):
        if count - 1 in wanted:
            yield frame
    if count != layout.frames:
        code = "TRUNCATED_PIXEL_DATA" if count < layout.frames else "SIZE_MISMATCH"
        raise StudyRefused(code, f"{count} frames found, {layout.frames} declared")


def _element(data: Dataset) -> RawDataElement:
    """That of the pixels, as it is in the file. Raises: StudyRefused: TRUNCATED_PIXEL_DATA."""
    if PIXEL_DATA in data:
        return cast(RawDataElement, data.get_item(PIXEL_DATA, keep_deferred=True))  # nothing has looked at it yet
    raise StudyRefused("TRUNCATED_PIXEL_DATA", "the file has no pixels")


def _refuse_wrong_length(layout: PixelLayout, present: int, exactly: bool) -> None:
    expected = layout.frame_bytes * layout.frames
    if present < expected:
        raise StudyRefused("TRUNCATED_PIXEL_DATA", f"{expected} bytes of pixels declared, {present} are there")
    if exactly and present > expected + expected % 2:
        raise StudyRefused("SIZE_MISMATCH", f"{expected} bytes of pixels declared, {present} are there")
