"""A NIfTI header, taken only where it does not contradict itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError

from caveat.reasons import StudyRefused

from ..checks.limits import LARGEST_EXTENSION_BYTES
from ..checks.scaling import absurdity

HEADER_BYTES = (348, 540)
"""NIfTI-1 (and Analyze 7.5), NIfTI-2."""
SINGLE_FILE = {348: (344, b"n+1\0"), 540: (4, b"n+2\0\r\n\x1a\n")}
TWO_FILES = {348: (344, b"ni1\0"), 540: (4, b"ni2\0\r\n\x1a\n")}
SMALLEST_OFFSET = {348: 352, 540: 544}


@dataclass(frozen=True)
class NiftiHeader:
    """What is needed to read the voxels.

    Args:
        fields: nibabel's header, in the file's byte order.
        shape: voxels along x, y, z; Python integers.
        dtype: as stored.
        offset: bytes before the first voxel.
        slope, intercept: value = stored * slope + intercept; slope None where there is no scaling.
    """

    fields: Nifti1Header
    shape: tuple[int, int, int]
    dtype: np.dtype
    offset: int
    slope: float | None
    intercept: float

    @property
    def stored_bytes(self) -> int:
        """Bytes of the voxels in the file."""
        return math.prod(self.shape) * self.dtype.itemsize


def sizeof_header(start: bytes) -> int:
    """Length that a header declares of itself, in either byte order; 0 where it is none. Args: start: the first bytes."""
    for order in ("little", "big"):
        size = int.from_bytes(start[:4], order)
        if size in HEADER_BYTES:
            return size
    return 0


@np.errstate(invalid="ignore", over="ignore")  # what is not a number in the header is refused below
def read_header(block: bytes) -> NiftiHeader:
    """Parse and check a header.

    Args:
        block: as many bytes as `sizeof_header` says.

    Raises:
        StudyRefused: NO_ORIENTATION (Analyze), UNSUPPORTED_FILE_TYPE (header and voxels in two files), BAD_HEADER, NOT_3D,
            UNSUPPORTED_DATATYPE.
    """
    size = len(block)
    magic_at, magic = SINGLE_FILE[size]
    found = block[magic_at : magic_at + len(magic)]
    if found == TWO_FILES[size][1]:
        raise StudyRefused("UNSUPPORTED_FILE_TYPE", "NIfTI with header and voxels in two files")
    if found != magic:
        raise StudyRefused("NO_ORIENTATION", "an Analyze 7.5 header") if size == 348 else StudyRefused("BAD_HEADER", "no magic")
    order = "<" if int.from_bytes(block[:4], "little") == size else ">"
    fields = (Nifti1Header if size == 348 else Nifti2Header)(block, endianness=order, check=False)
    slope, intercept = _scaling(fields)
    return NiftiHeader(fields, _shape(fields), _dtype(fields), _offset(fields, SMALLEST_OFFSET[size]), slope, intercept)


def _shape(fields: Nifti1Header) -> tuple[int, int, int]:
    count, *sizes = (int(value) for value in fields["dim"])
    if not 1 <= count <= 7 or min(sizes[:count]) < 1:
        raise StudyRefused("BAD_HEADER", f"dimensions {sizes[: max(count, 0)]}")
    while count > 3 and sizes[count - 1] == 1:
        count -= 1
    if count != 3:
        raise StudyRefused("NOT_3D", " x ".join(str(size) for size in sizes[:count]))
    return sizes[0], sizes[1], sizes[2]


def _dtype(fields: Nifti1Header) -> np.dtype:
    try:
        dtype = fields.get_data_dtype()
    except (HeaderDataError, KeyError):  # nibabel raises the second for codes that it has no name for
        raise StudyRefused("UNSUPPORTED_DATATYPE", f"code {int(fields['datatype'])}") from None
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise StudyRefused("UNSUPPORTED_DATATYPE", f"code {int(fields['datatype'])}")
    if int(fields["bitpix"]) != 8 * dtype.itemsize:
        raise StudyRefused("BAD_HEADER", f"{int(fields['bitpix'])} bits declared for voxels of {8 * dtype.itemsize}")
    return dtype


def _offset(fields: Nifti1Header, smallest: int) -> int:
    offset = float(fields["vox_offset"])
    if not smallest <= offset < float("inf") or offset != int(offset):
        raise StudyRefused("BAD_HEADER", f"voxels at byte {offset:g}, where the header ends at {smallest}")
    if offset > LARGEST_EXTENSION_BYTES:
        raise StudyRefused("TOO_LARGE", f"{offset:g} bytes between header and voxels")
    return int(offset)


def _scaling(fields: Nifti1Header) -> tuple[float | None, float]:
    """Slope and intercept; a slope of 0 or NaN means no scaling, whatever the intercept.

    Source: nifti1.h, "DATA SCALING".
    """
    slope, intercept = float(fields["scl_slope"]), float(fields["scl_inter"])
    if slope == 0 or math.isnan(slope) or (slope, intercept) == (1.0, 0.0):
        return None, 0.0
    if not math.isfinite(slope) or not math.isfinite(intercept):
        raise StudyRefused("BAD_HEADER", "slope or intercept is not finite")
    if absurd := absurdity(slope, intercept):
        raise StudyRefused("BAD_HEADER", absurd)
    return slope, intercept
