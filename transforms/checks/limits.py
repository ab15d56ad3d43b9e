"""Limits on size, checked before anything is allocated."""

from __future__ import annotations

import math
from collections.abc import Sequence

from caveat.reasons import StudyRefused

LARGEST_FILE_BYTES = 2 * 1024**3
LARGEST_DECODED_BYTES = 2 * 1024**3
LARGEST_VOXELS = 10**9
LARGEST_PICTURE_PIXELS = 100 * 10**6
LARGEST_EXTENSION_BYTES = 64 * 1024**2
"""Between a NIfTI header and its voxels."""
DEFLATE_RATIO = 1040
"""No deflate stream is more than 1032 times shorter than what it holds (zlib's own figure)."""


def refuse_large_file(size: int) -> None:
    """Args: size: bytes of the file. Raises: StudyRefused: TOO_LARGE."""
    if size > LARGEST_FILE_BYTES:
        raise StudyRefused("TOO_LARGE", f"the file has {size} bytes, the limit is {LARGEST_FILE_BYTES}")


def refuse_large_picture(rows: int, columns: int) -> None:
    """Args: rows, columns: as the header declares them. Raises: StudyRefused: TOO_LARGE."""
    if rows * columns > LARGEST_PICTURE_PIXELS:
        raise StudyRefused("TOO_LARGE", f"{rows} x {columns} pixels, the limit is {LARGEST_PICTURE_PIXELS}")


def refuse_flat(shape: Sequence[int]) -> None:
    """Accept a volume: what has one slice along an axis is a picture, or no image at all, such as the numbers of a surface.

    Args:
        shape: voxels per axis.

    Raises:
        StudyRefused: SINGLE_SLICE.
    """
    if min(shape) < 2:
        raise StudyRefused("SINGLE_SLICE", " x ".join(map(str, shape)))


def refuse_large_volume(shape: Sequence[int], bytes_per_voxel: int) -> None:
    """Args: shape: Python integers, as the header declares them. Raises: StudyRefused: TOO_LARGE."""
    voxels = math.prod(shape)
    if voxels > LARGEST_VOXELS:
        raise StudyRefused("TOO_LARGE", f"{voxels} voxels declared, the limit is {LARGEST_VOXELS}")
    decoded = voxels * max(bytes_per_voxel, 4)  # at least float32, which is what they become
    if decoded > LARGEST_DECODED_BYTES:
        raise StudyRefused("TOO_LARGE", f"{decoded} bytes decoded, the limit is {LARGEST_DECODED_BYTES}")
