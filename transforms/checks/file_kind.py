"""Files that are images, but of a type that is not read here: named, so that the refusal can say so."""

from __future__ import annotations

from caveat.reasons import StudyRefused

FOREIGN: tuple[tuple[str, int, bytes], ...] = (
    ("DICOM", 128, b"DICM"),
    ("BMP", 0, b"BM"),
    ("JPEG 2000", 0, b"\x00\x00\x00\x0cjP  "),
    ("JPEG 2000", 0, b"\xff\x4f\xff\x51"),
    ("JPEG XL", 0, b"\x00\x00\x00\x0cJXL "),
    ("WebP", 8, b"WEBP"),
    ("HEIF or AVIF", 4, b"ftyp"),
    ("OpenEXR", 0, b"\x76\x2f\x31\x01"),
    ("NRRD", 0, b"NRRD000"),
    ("MetaImage", 0, b"ObjectType = Image"),
    ("HDF5 or MINC", 0, b"\x89HDF\r\n\x1a\n"),
    ("MGH, compressed volume or archive", 0, b"\x1f\x8b"),
)
"""Name, offset and bytes; the last row catches what is gzip and no NIfTI."""
FOREIGN_EXTENSIONS = (
    *(".dcm", ".dicom", ".mha", ".mhd", ".nrrd", ".nhdr", ".mgz", ".mgh", ".mnc"),
    *(".bmp", ".jp2", ".j2k", ".webp", ".heic", ".avif"),
)
"""How such files are usually named, so that searching a folder does not pass over them in silence."""


def refusal_of(head: bytes) -> StudyRefused:
    """Why a file that no reader took is refused: UNSUPPORTED_FILE_TYPE with the type's name, else NOT_AN_IMAGE.

    Args:
        head: its first bytes.
    """
    for name, offset, magic in FOREIGN:
        if head[offset : offset + len(magic)] == magic:
            return StudyRefused("UNSUPPORTED_FILE_TYPE", name)
    return StudyRefused("NOT_AN_IMAGE")
