"""Voxel values of a volume: each frame read, decoded and rescaled by itself, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from caveat.reasons import StudyRefused

from ..checks.limits import refuse_large_volume
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
        (columns, rows, frames) float32, and flags: PADDING_REPLACED, PADDING_UNCERTAIN.

    Raises:
        StudyRefused: TOO_LARGE, UNSUPPORTED_TRANSFER_SYNTAX, UNSUPPORTED_PIXEL_FORMAT, SECONDARY_CAPTURE, MIXED_MATRIX,
            TRUNCATED_PIXEL_DATA, SIZE_MISMATCH, CODESTREAM_MISMATCH, CORRUPT_PIXEL_DATA, INCONSISTENT_RESCALE, BAD_RESCALE,
            CT_WITHOUT_RESCALE, NON_FINITE_VOXELS, CONSTANT_IMAGE (nothing but padding), BAD_HEADER, UNREADABLE_FILE.
    """
    with guarded_header():
        layouts = _layouts(frames)
        each = [layouts[frame.instance.path] for frame in frames]
        rescales = rescales_of(frames, each)
        headers = {frame.instance.path: frame.instance.header for frame in frames}
        paddings = {path: padding_of(header, layouts[path]) for path, header in headers.items()}
        blurred = any(is_padding_blurred(header, layouts[path]) for path, header in headers.items())
    refuse_large_volume((each[0].columns, each[0].rows, len(frames)), 4)
    voxels = np.empty((len(frames), each[0].rows, each[0].columns), dtype=np.float32)
    with quiet_pydicom():
        for path, places in _places_by_file(frames).items():
            instance, indices = frames[places[0]].instance, [frames[place].index for place in places]
            for place, pixels in zip(places, container_values(instance, layouts[path], indices), strict=True):
                rescales[place].apply(within_bits(pixels, layouts[path]), voxels[place])
                padding = paddings[path]
                if padding is not None:
                    np.copyto(voxels[place], np.nan, where=padding.marks(pixels, layouts[path]))
    replaced = any(paddings.values()) and fill_padding(voxels)
    return voxels.transpose(2, 1, 0), ("PADDING_REPLACED",) * replaced + ("PADDING_UNCERTAIN",) * blurred


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
