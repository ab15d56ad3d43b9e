"""A MetaImage header, taken only where it does not contradict itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

import numpy as np

from caveat.reasons import StudyRefused

from ..image.lps import LPS_TO_RAS
from .text_header import header_lines, numbers, whole_numbers
from .text_volume import TextHeader

TYPES = {
    **{"MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4"},
    **{"MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8"},
}
"""A long has four bytes here, whatever the machine."""
DIRECTIONS = ("TransformMatrix", "Orientation", "Rotation")
ORIGIN = ("Offset", "Position", "Origin")
BYTE_ORDER = ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
"""Names that mean the same."""
MM_PER_UNIT = {"mm": 1.0, "um": 0.001, "cm": 10.0}
LAST = "ElementDataFile"
UNIT_TOLERANCE = 1e-3
SIDES = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "I": (2, 1), "S": (2, -1)}
"""Axis of LPS, and the sign along it of an axis that begins at this side."""
SMALLEST_COSINE = 0.3
"""Of the angle between an axis and the one of the body that it is named after: of three right angles one is always nearer."""


@np.errstate(over="ignore", invalid="ignore")  # what is not a number in the header is refused
def read_metaimage_header(file: BinaryIO) -> TextHeader:
    """Parse and check a header; the file stands behind it then.

    Args:
        file: at its first byte.

    Raises:
        StudyRefused: TRUNCATED, BAD_HEADER, NOT_3D, UNSUPPORTED_DATATYPE, UNSUPPORTED_FILE_TYPE (no image, or voxels in another
            file), BAD_AFFINE.

    Source: MetaIO's documentation, "MetaImage Tags"; ITK's convention that such coordinates are LPS.
    """
    fields = _fields(file)
    if fields.get("ObjectType", "Image") != "Image":
        raise StudyRefused("UNSUPPORTED_FILE_TYPE", "a MetaIO object that is no image")
    if fields[LAST].upper() != "LOCAL":
        raise StudyRefused("UNSUPPORTED_FILE_TYPE", "MetaImage with header and voxels in two files")
    _refuse_other_voxels(fields)
    (dimensions,) = whole_numbers(fields.get("NDims", "").split(), 1)
    if dimensions != 3:
        raise StudyRefused("NOT_3D", f"{dimensions} dimensions")
    origin = _words(fields, ORIGIN)
    spacing = fields.get("ElementSpacing")
    return TextHeader(
        shape=whole_numbers(fields.get("DimSize", "").split(), 3),
        dtype=_dtype(fields),
        compression="zlib" if _is_true(fields.get("CompressedData", "False")) else "",
        spacing=None if spacing is None else numbers(spacing.split(), 3),
        directions=_directions(fields),
        origin=None if origin is None else numbers(origin, 3) * LPS_TO_RAS,
        mm=_mm(fields),
    )


def _fields(file: BinaryIO) -> dict[str, str]:
    """What stands on either side of the first "=" of each line, up to the line that is always the last."""
    fields: dict[str, str] = {}
    for line in header_lines(file):
        name, equals, value = line.partition("=")
        name = name.strip()
        if not equals or name in fields:
            raise StudyRefused("BAD_HEADER", f"line {len(fields) + 1} is no field, or one that was there before")
        fields[name] = value.strip()
        if name == LAST:
            break
    return fields


def _refuse_other_voxels(fields: dict[str, str]) -> None:
    """Accept one number a voxel, binary, directly behind the header, not to be rescaled (ITK would not do it, others would)."""
    if not _is_true(fields.get("BinaryData", "")):
        raise StudyRefused("UNSUPPORTED_FILE_TYPE", "MetaImage with voxels written as text")
    if fields.get("HeaderSize", "0") != "0":
        raise StudyRefused("UNSUPPORTED_FILE_TYPE", "MetaImage with voxels that do not follow the header")
    (channels,) = whole_numbers(fields.get("ElementNumberOfChannels", "1").split(), 1)
    if channels != 1:
        raise StudyRefused("UNSUPPORTED_DATATYPE", f"{channels} numbers a voxel")
    for name, neutral in (("ElementToIntensityFunctionSlope", 1.0), ("ElementToIntensityFunctionOffset", 0.0)):
        if name in fields and numbers(fields[name].split(), 1)[0] != neutral:
            raise StudyRefused("UNSUPPORTED_DATATYPE", "voxels that are to be rescaled")


def _dtype(fields: dict[str, str]) -> np.dtype:
    name = fields.get("ElementType", "")
    if name not in TYPES:
        raise StudyRefused("UNSUPPORTED_DATATYPE", "not a scalar type of MetaImage")
    dtype = np.dtype(TYPES[name])
    orders = {_is_true(fields[name]) for name in BYTE_ORDER if name in fields}
    if len(orders) > 1 or (not orders and dtype.itemsize > 1):
        raise StudyRefused("BAD_HEADER", f"{len(orders)} byte orders")
    return dtype.newbyteorder(">" if orders == {True} else "<")


def _directions(fields: dict[str, str]) -> np.ndarray | None:
    """Unit vectors of the axes in columns, RAS; each is one row of the header's matrix."""
    words = _words(fields, DIRECTIONS)
    if words is None:
        return None
    columns = numbers(words, 9).reshape(3, 3).T
    if not np.allclose(np.linalg.norm(columns, axis=0), 1, atol=UNIT_TOLERANCE):  # false where not a number, too
        raise StudyRefused("BAD_AFFINE", "direction cosines that are not of length 1")
    if _contradicts(fields.get("AnatomicalOrientation", "").upper(), columns):
        raise StudyRefused("BAD_HEADER", "the matrix and the letters of the orientation say different things")
    return LPS_TO_RAS[:, None] * columns / np.linalg.norm(columns, axis=0)


def _contradicts(letters: str, columns: np.ndarray) -> bool:
    """Whether letters such as RAI name other directions than the matrix: the sides where the axes begin, as MetaIO has it, or
    those where they end, as some writers do.

    Args:
        letters: perhaps none, or unknown ("???").
        columns: (3, 3) unit vectors of the axes, LPS.
    """
    if sorted(SIDES[letter][0] for letter in letters if letter in SIDES) != [0, 1, 2]:
        return False
    along = np.array([columns[SIDES[letter][0], axis] * SIDES[letter][1] for axis, letter in enumerate(letters)])
    return not ((along > SMALLEST_COSINE).all() or (along < -SMALLEST_COSINE).all())


def _mm(fields: dict[str, str]) -> float | None:
    unit = fields.get("DistanceUnits", "?")
    if unit == "?":
        return None
    if unit not in MM_PER_UNIT:
        raise StudyRefused("BAD_HEADER", "a unit of length that is none")
    return MM_PER_UNIT[unit]


def _words(fields: dict[str, str], names: Iterable[str]) -> list[str] | None:
    """The one value that stands under any of these names. Raises: StudyRefused: BAD_HEADER where they differ."""
    found = [fields[name].split() for name in names if name in fields]
    if any(words != found[0] for words in found):
        raise StudyRefused("BAD_HEADER", f"{len(found)} fields of one meaning that differ")
    return found[0] if found else None


def _is_true(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0", ""):
        raise StudyRefused("BAD_HEADER", "neither true nor false")
    return text.lower() in ("true", "1")
