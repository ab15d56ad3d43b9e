"""How the pixels of a file are stored, by its header; refused where they cannot be read as they are meant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSNearLossless,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLELossless,
)

from caveat.reasons import StudyRefused

from ..checks.limits import LARGEST_DECODED_BYTES
from .functional_groups import FRAME_TYPES, FunctionalGroups
from .guarded_header import guarded_header
from .header_values import numbers, text, whole_number
from .instance import Instance

NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
JPEG_2000 = (JPEG2000Lossless, JPEG2000, HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K)
"""With its faster kin, which begins and ends alike."""
SUPPORTED = frozenset((*NATIVE, RLELossless, *JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes, *JPEG_2000))
LOSSLESS = SUPPORTED - {JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000, HTJ2K}
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
"""The old class; those of multi-frame captures begin like it."""
GREY = ("MONOCHROME1", "MONOCHROME2")


@dataclass(frozen=True)
class PixelLayout:
    """What is needed to read and to decode one file's pixels.

    Args:
        syntax: transfer syntax.
        rows, columns, frames: of the image.
        bits_allocated: of the container of one value: 8, 16 or 32.
        bits_stored: of the value, the lower ones of the container.
        signed: two's complement.
    """

    syntax: UID
    rows: int
    columns: int
    frames: int
    bits_allocated: int
    bits_stored: int
    signed: bool

    @property
    def dtype(self) -> np.dtype:
        """Of the container, in the file's order of bytes."""
        order = ">" if self.syntax == ExplicitVRBigEndian else "<"
        return np.dtype(f"{order}{'i' if self.signed else 'u'}{self.bits_allocated // 8}")

    @property
    def lowest(self) -> int:
        """The smallest value that can be stored."""
        return -(2 ** (self.bits_stored - 1)) if self.signed else 0

    @property
    def highest(self) -> int:
        """The largest value that can be stored."""
        return self.lowest + 2**self.bits_stored - 1

    @property
    def frame_bytes(self) -> int:
        """Of one frame, decoded."""
        return self.rows * self.columns * self.bits_allocated // 8


def pixel_layout_of(instance: Instance) -> PixelLayout:
    """By the header alone.

    Raises:
        StudyRefused: UNSUPPORTED_TRANSFER_SYNTAX, SECONDARY_CAPTURE, UNSUPPORTED_PIXEL_FORMAT, BAD_HEADER, TOO_LARGE.
    """
    with guarded_header():
        layout = _layout(instance)
    decoded = layout.frame_bytes * layout.frames
    if decoded > LARGEST_DECODED_BYTES:
        raise StudyRefused("TOO_LARGE", f"{decoded} bytes of pixels declared, the limit is {LARGEST_DECODED_BYTES}")
    return layout


def _layout(instance: Instance) -> PixelLayout:
    header, syntax = instance.header, transfer_syntax_of(instance)
    if syntax not in SUPPORTED:
        raise StudyRefused("UNSUPPORTED_TRANSFER_SYNTAX", syntax.name if syntax.name != syntax else "an unknown one")
    if header.get("SamplesPerPixel", 1) != 1 or text(header, "PhotometricInterpretation") not in GREY:
        captured = text(header, "SOPClassUID").startswith(SECONDARY_CAPTURE)
        raise StudyRefused("SECONDARY_CAPTURE" if captured else "UNSUPPORTED_PIXEL_FORMAT", "colour, or no grey values")
    if _is_coloured(header):
        raise StudyRefused("UNSUPPORTED_PIXEL_FORMAT", "some values stand for colours of a palette")
    if header.get("PixelRepresentation") not in (0, 1):
        raise StudyRefused("UNSUPPORTED_PIXEL_FORMAT", "no whole numbers, or it is not stated whether they are signed")
    allocated, stored = header.get("BitsAllocated"), header.get("BitsStored")
    native = syntax in NATIVE or syntax == RLELossless
    if allocated not in ((8, 16, 32) if native else (8, 16)) or not isinstance(stored, int) or not 1 < stored <= allocated:
        raise StudyRefused("UNSUPPORTED_PIXEL_FORMAT", "a number of bits that is not read")
    if header.get("HighBit", stored - 1) != stored - 1:
        raise StudyRefused("UNSUPPORTED_PIXEL_FORMAT", "values do not lie in the lower bits")
    return PixelLayout(
        syntax=syntax,
        rows=_count(header.get("Rows")),
        columns=_count(header.get("Columns")),
        frames=_count(whole_number(header, "NumberOfFrames") if numbers(header, "NumberOfFrames") else 1),
        bits_allocated=allocated,
        bits_stored=stored,
        signed=header.PixelRepresentation == 1,
    )


def _is_coloured(header: Dataset) -> bool:
    """Whether grey pixels are mixed with such as stand for colours, by the object or any of its frames.

    Source: DICOM PS3.3, C.8.16.2.1.1.2 (pixel presentation), C.7.6.19 (supplemental palette).
    """
    groups = FunctionalGroups.of(header)
    frames = (groups.shared, *groups.per_frame) if groups is not None else ()
    types = (frame.get(keyword) for frame in frames for keyword in FRAME_TYPES)
    said = {text(header, "PixelPresentation"), *(text(found[0], "PixelPresentation") for found in types if found)}
    return not said <= {"", "MONOCHROME"}


def transfer_syntax_of(instance: Instance) -> UID:
    """As stated; a file without a meta group is native, in the encoding that its bytes were found to have."""
    stated = instance.header.file_meta.get("TransferSyntaxUID")
    if stated:
        return UID(str(stated))
    implicit, little_endian = instance.header.original_encoding
    if little_endian is False:
        return ExplicitVRBigEndian
    return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian


def _count(found: object) -> int:
    if not isinstance(found, int) or found < 1:
        raise StudyRefused("BAD_HEADER", "rows, columns or frames are no number above zero")
    return found
