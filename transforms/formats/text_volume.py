"""A volume behind a header of text, MetaImage or NRRD: its grid and its voxels, once the header is understood."""

from __future__ import annotations

import gzip
import math
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from caveat.reasons import StudyRefused

from ..checks.geometry import refuse_bad_affine, spacing_of
from ..checks.limits import refuse_flat, refuse_large_volume
from ..image.lps import LPS_TO_RAS
from ..image.stated_spacing import stated_spacing
from ..image.study_image import Stated, StudyImage
from .voxel_stream import Stream, ZlibStream, deflate_refusals, read_voxels, refuse_wrong_size


@dataclass(frozen=True)
class TextHeader:
    """What such a header says.

    Args:
        shape: voxels along x, y, z, the fastest in the file first; Python integers.
        dtype: as stored.
        compression: "", "gzip" or "zlib".
        spacing: (3,) between voxels along each axis, None where it is not stated.
        directions: (3, 3) unit vectors of the axes in its columns, RAS; None where it is not stated how they lie.
        origin: (3,) centre of the first voxel, RAS; None where it is not stated.
        mm: per unit of spacing and origin; None where the unit is not stated.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    compression: str
    spacing: np.ndarray | None
    directions: np.ndarray | None
    origin: np.ndarray | None
    mm: float | None


def read_text_volume(file: BinaryIO, size: int, header: TextHeader, stated: Stated, source: str) -> StudyImage:
    """Read what follows a header.

    Args:
        file: at the first byte behind the header.
        size: bytes of the whole file.
        header: what it says.
        stated: what the user states.
        source: of the spacing, where the header has it.

    Raises:
        StudyRefused: SINGLE_SLICE, TOO_LARGE, TRUNCATED, SIZE_MISMATCH, CORRUPT_GZIP, NON_FINITE_VOXELS, and
            what `_grid` refuses.
    """
    grid = _grid(header, stated, source)
    refuse_flat(header.shape)
    refuse_large_volume(header.shape, header.dtype.itemsize)
    expected = math.prod(header.shape) * header.dtype.itemsize
    refuse_wrong_size(expected, size - file.tell(), compressed=bool(header.compression))
    with deflate_refusals():
        voxels, flags = read_voxels(_stream(file, header.compression), header.shape, header.dtype)
    return StudyImage(voxels=voxels[None], **grid | {"flags": (*grid["flags"], *flags)})


def _stream(file: BinaryIO, compression: str) -> Stream:
    if compression == "zlib":
        return ZlibStream(file)
    return gzip.GzipFile(fileobj=file) if compression == "gzip" else file


@np.errstate(over="ignore", invalid="ignore")  # what is not a number then is refused
def _grid(header: TextHeader, stated: Stated, source: str) -> dict[str, Any]:
    """What `StudyImage` says of the grid. The rules are those of NIfTI: nothing that is not stated is invented.

    Raises:
        StudyRefused: MISSING_SPACING, NO_ORIENTATION, SINGULAR_AFFINE, BAD_AFFINE, SHEARED_AFFINE, IMPLAUSIBLE_SPACING.
    """
    mm, flags = (1.0, ["SPACING_UNIT_UNSTATED"]) if header.mm is None else (header.mm, [])
    spacing, directions, origin = header.spacing, header.directions, header.origin
    if spacing is None or not (np.isfinite(spacing) & (spacing > 0)).all():
        if not stated.spacing_mm:
            raise StudyRefused("MISSING_SPACING")
        spacing, source = np.array(stated_spacing(stated.spacing_mm, dimensions=3)) / mm, stated.spacing_source
    if directions is None or origin is None:
        if not stated.assume_orientation:
            raise StudyRefused("NO_ORIENTATION")
        directions, origin, flags = np.diag(LPS_TO_RAS), np.zeros(3), [*flags, "ORIENTATION_ASSUMED"]
    original = np.eye(4)
    original[:3, :3], original[:3, 3] = directions * spacing, origin
    affine = np.vstack([original[:3] * mm, original[3:]])
    refuse_bad_affine(affine)
    return {
        "affine": affine,
        "original_affine": original,
        "spacing_mm": spacing_of(affine),
        "spacing_source": source,
        "flags": tuple(flags),
    }
