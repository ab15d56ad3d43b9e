"""An NRRD header, taken only where it does not contradict itself."""

from __future__ import annotations

import re
from typing import BinaryIO

import numpy as np

from caveat.reasons import StudyRefused

from .text_header import header_lines, numbers, whole_numbers
from .text_volume import TextHeader

MAGIC = re.compile(r"NRRD000[1-5]")
TYPE_NAMES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
TYPES = {name: dtype for dtype, names in TYPE_NAMES.items() for name in names}
ENCODINGS = {"raw": "", "gzip": "gzip", "gz": "gzip"}
TO_RAS = {
    **dict.fromkeys(("left-posterior-superior", "lps"), (-1.0, -1.0, 1.0)),
    **dict.fromkeys(("right-anterior-superior", "ras"), (1.0, 1.0, 1.0)),
    **dict.fromkeys(("left-anterior-superior", "las"), (-1.0, 1.0, 1.0)),
}
"""Spaces of the body. Others (a scanner's, a right-handed one) do not say where the patient's left is."""
DETACHED = ("data file", "datafile")
VECTOR = re.compile(r"\([^()]*\)|none", re.IGNORECASE)
MM_PER_UNIT = {
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), 1.0),
    **dict.fromkeys(("um", "micron", "microns", "micrometer", "micrometers"), 0.001),
    **{"cm": 10.0, "m": 1000.0},
}
"""Also as writers spell them out."""
SCALAR_AXES = ("domain", "space", "none", "???")
VOLUME_AXES = (*SCALAR_AXES, "time", "list")
"""Kinds of axes that are not the parts of one voxel."""


@np.errstate(over="ignore", invalid="ignore")  # what is not a number in the header is refused
def read_nrrd_header(file: BinaryIO) -> TextHeader:
    """Parse and check a header; the file stands behind it then.

    Args:
        file: at its first byte.

    Raises:
        StudyRefused: TRUNCATED, BAD_HEADER, NOT_3D, UNSUPPORTED_DATATYPE, UNSUPPORTED_FILE_TYPE (voxels in another file, or
            in another encoding), BAD_AFFINE, SINGULAR_AFFINE.

    Source: "Definition of NRRD File Format", version 5.
    """
    fields = _fields(file)
    _refuse_other_places(fields)
    _refuse_other_dimensions(fields)
    spacing, directions = _axes(fields)
    return TextHeader(
        shape=whole_numbers(fields.get("sizes", "").split(), 3),
        dtype=_dtype(fields),
        compression=ENCODINGS[fields["encoding"].lower()],
        spacing=spacing,
        directions=directions,
        origin=_origin(fields),
        mm=_mm(fields.get("space units" if "space directions" in fields else "units", "")),
    )


def _fields(file: BinaryIO) -> dict[str, str]:
    """Name and value of each "name: value" up to the blank line; comments and the writer's own "key:=value" are passed over."""
    lines = header_lines(file)
    if not MAGIC.fullmatch(next(lines)):
        raise StudyRefused("BAD_HEADER", "no magic, or that of a version to come")
    fields: dict[str, str] = {}
    for number, line in enumerate(lines, start=2):
        if not line:
            break
        name, colon, value = line.partition(":")
        if line.startswith("#") or value.startswith("="):
            continue
        name = name.strip().lower()
        if name in DETACHED:  # before the end is looked for, which such files often lack
            raise StudyRefused("UNSUPPORTED_FILE_TYPE", "NRRD with header and voxels in two files")
        if not colon or name in fields:
            raise StudyRefused("BAD_HEADER", f"line {number} is no field, or one that was there before")
        fields[name] = value.strip()
    return fields


def _refuse_other_places(fields: dict[str, str]) -> None:
    """Accept voxels that stand directly behind the header, as they are or in gzip."""
    if fields.get("encoding", "").lower() not in ENCODINGS:
        raise StudyRefused("UNSUPPORTED_FILE_TYPE", "NRRD with voxels neither raw nor in gzip")
    if any(fields.get(name, "0") != "0" for name in ("line skip", "lineskip", "byte skip", "byteskip")):
        raise StudyRefused("UNSUPPORTED_FILE_TYPE", "NRRD with voxels that do not follow the header")


def _refuse_other_dimensions(fields: dict[str, str]) -> None:
    """Accept three axes, of space all of them."""
    kinds = fields.get("kinds", "").lower().split()
    (dimensions,) = whole_numbers(fields.get("dimension", "").split(), 1)
    if not set(kinds) <= set(VOLUME_AXES):
        raise StudyRefused("UNSUPPORTED_DATATYPE", "an axis of colours, vectors or complex numbers")
    if dimensions != 3 or not set(kinds) <= set(SCALAR_AXES):
        raise StudyRefused("NOT_3D", f"{dimensions} axes")


def _dtype(fields: dict[str, str]) -> np.dtype:
    name = " ".join(fields.get("type", "").lower().split())
    if name not in TYPES:
        raise StudyRefused("UNSUPPORTED_DATATYPE", "not a scalar type of NRRD")
    dtype, order = np.dtype(TYPES[name]), fields.get("endian", "").lower()
    if order not in ("little", "big", "") or (not order and dtype.itemsize > 1):
        raise StudyRefused("BAD_HEADER", "byte order")
    return dtype.newbyteorder(">" if order == "big" else "<")


def _axes(fields: dict[str, str]) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Spacing, and unit vectors in columns (RAS), each None where it is not stated."""
    if "space directions" not in fields:
        return (numbers(fields["spacings"].split(), 3), None) if "spacings" in fields else (None, None)
    vectors = VECTOR.findall(fields["space directions"])
    if any(vector.lower() == "none" for vector in vectors):
        raise StudyRefused("NOT_3D", "an axis without a direction in space")
    if len(vectors) != 3 or VECTOR.sub("", fields["space directions"]).strip() or "spacings" in fields:
        raise StudyRefused("BAD_HEADER", f"{len(vectors)} directions, or spacings or something else beside them")
    columns = np.stack([_vector(vector) for vector in vectors], axis=1)
    spacing = np.linalg.norm(columns, axis=0)
    if not np.isfinite(spacing).all():
        raise StudyRefused("BAD_AFFINE", "not finite")
    if not spacing.all():
        raise StudyRefused("SINGULAR_AFFINE", "an axis has no length")
    turned = TO_RAS.get(fields.get("space", "").lower())
    return spacing, None if turned is None else np.array(turned)[:, None] * columns / spacing


def _origin(fields: dict[str, str]) -> np.ndarray | None:
    turned = TO_RAS.get(fields.get("space", "").lower())
    return None if turned is None or "space origin" not in fields else _vector(fields["space origin"]) * turned


def _vector(text: str) -> np.ndarray:
    """(x,y,z). Raises: StudyRefused: BAD_HEADER."""
    return numbers([word.strip() for word in text.removeprefix("(").removesuffix(")").split(",")], 3)


def _mm(text: str) -> float | None:
    """mm per unit of length; None where no axis has one. Raises: StudyRefused: BAD_HEADER."""
    units = set(re.findall(r'"([^"]*)"', text)) - {""}
    if not units:
        return None
    if len(units) > 1 or not units <= set(MM_PER_UNIT):
        raise StudyRefused("BAD_HEADER", f"{len(units)} units of length, or one that is none")
    return MM_PER_UNIT[units.pop()]
