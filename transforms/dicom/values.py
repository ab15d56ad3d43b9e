"""Voxel values of a volume: each frame read, decoded and rescaled by itself, one at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from caveat.reasons import StudyRefused

from ..checks.limits import refuse_large_volume
from ..checks.whole_numbers import EXACT_BITS
from .frame import Frame
from .guarded_header import guarded_header
from .padding import fill_padding, is_padding_blurred, padding_of
from .pixel_bytes import refuse_short_file
from .pixel_layout import PixelLayout, pixel_layout_of
from .quiet_pydicom import quiet_pydicom
from .rescale import rescales_of
from .stored_values import container_values, within_bits


def read_values(frames: Sequence[Frame]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read the pixels of frames of one size.

    Values are those of the modality: MONOCHROME1 changes nothing, since for CT, MR and PET it is only how they are displayed.

    Args:
        frames: in the order of the volume; of one file or of many.

    Returns:
        (columns, rows, frames) float32, and flags: PADDING_REPLACED, PADDING_UNCERTAIN, VALUES_ROUNDED.

    Raises:
        StudyRefused: TOO_LARGE, UNSUPPORTED_TRANSFER_SYNTAX, UNSUPPORTED_PIXEL_FORMAT, SECONDARY_CAPTURE, MIXED_MATRIX,
            TRUNCATED_PIXEL_DATA, SIZE_MISMATCH, CODESTREAM_MISMATCH, CORRUPT_PIXEL_DATA, INCONSISTENT_RESCALE, BAD_RESCALE,
            CT_WITHOUT_RESCALE, CONSTANT_IMAGE (nothing but padding), BAD_HEADER, UNREADABLE_FILE.
    """
    source = _Source(frames)
    rows, columns = source.shape
    refuse_large_volume((columns, rows, len(frames)), 4)
    voxels = np.empty((len(frames), rows, columns), dtype=np.float32)
    for _ in source.planes(lambda place: voxels[place]):
        pass
    replaced = source.has_padding and fill_padding(voxels)
    holds = {"PADDING_REPLACED": replaced, "PADDING_UNCERTAIN": source.is_blurred, "VALUES_ROUNDED": source.is_rounded}
    return voxels.transpose(2, 1, 0), tuple(flag for flag, held in holds.items() if held)


def value_digests(frames: Sequence[Frame]) -> list[bytes]:
    """A hash of the values of each frame, however they are stored; every file is read once, and one frame is held at a time.

    Args:
        frames: of one size.

    Raises:
        StudyRefused: as `read_values`.
    """
    source, digests = _Source(frames), [b""] * len(frames)
    plane = np.empty(source.shape, dtype=np.float32)
    for place in source.planes(lambda _: plane):
        digests[place] = hashlib.sha256((plane + np.float32(0)).tobytes()).digest()  # without negative zeros
    return digests


class _Source:
    """What headers say of the pixels of frames of one size, and the way to read them, one at a time.

    Raises:
        StudyRefused: see `read_values`.
    """

    def __init__(self, frames: Sequence[Frame]) -> None:
        self.frames = frames
        with guarded_header():
            self.layouts = _layouts(frames)
            each = [self.layouts[frame.instance.path] for frame in frames]
            self.rescales = rescales_of(frames, each)
            headers = {frame.instance.path: frame.instance.header for frame in frames}
            self.paddings = {path: padding_of(header, self.layouts[path]) for path, header in headers.items()}
            self.is_blurred = any(is_padding_blurred(header, self.layouts[path]) for path, header in headers.items())
        self.has_padding = any(self.paddings.values())
        self.is_rounded = False
        self.shape = (each[0].rows, each[0].columns)

    def planes(self, plane_of: Callable[[int], np.ndarray]) -> Iterator[int]:
        """Read each frame into the array (rows, columns) float32 that is given for its place, with NaN where it is padded.

        Yields:
            Places of frames, as they are filled: file by file.
        """
        with quiet_pydicom():
            for path, places in _places_by_file(self.frames).items():
                instance, indices = self.frames[places[0]].instance, [self.frames[place].index for place in places]
                layout, padding = self.layouts[path], self.paddings[path]
                for place, pixels in zip(places, container_values(instance, layout, indices), strict=True):
                    plane = plane_of(place)
                    stored = within_bits(pixels, layout)
                    self.rescales[place].apply(stored, plane)
                    if layout.bits_stored > EXACT_BITS and not self.is_rounded:
                        self.is_rounded = self.rescales[place].rounds(stored, plane)
                    if padding is not None:
                        np.copyto(plane, np.nan, where=padding.marks(pixels, layout))
                    yield place


def _layouts(frames: Sequence[Frame]) -> dict[Path, PixelLayout]:
    """One a file, with the cheap checks of all files before the first is read. Raises: StudyRefused: see `read_values`."""
    instances = {frame.instance.path: frame.instance for frame in frames}
    layouts = {path: pixel_layout_of(instance) for path, instance in instances.items()}
    for path, layout in layouts.items():
        refuse_short_file(instances[path], layout)
    sizes = {(layout.rows, layout.columns) for layout in layouts.values()}
    if len(sizes) > 1:
        raise StudyRefused("MIXED_MATRIX", f"{len(sizes)} different sizes")
    return layouts


def _places_by_file(frames: Sequence[Frame]) -> dict[Path, list[int]]:
    """Where in the volume the frames of each file go, in the order of the file."""
    places: dict[Path, list[int]] = {}
    for place, frame in sorted(enumerate(frames), key=lambda pair: pair[1].index):
        places.setdefault(frame.instance.path, []).append(place)
    return places
