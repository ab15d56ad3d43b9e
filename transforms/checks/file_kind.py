"""Files that are images, but of a type that is not read here: named, so that the refusal can say so."""

from __future__ import annotations

from caveat.reasons import StudyRefused

FOREIGN: tuple[tuple[str, int, bytes], ...] = (
    ("DICOM", 128, b"DICM"),
    ("JPEG 2000", 0, b"\x00\x00\x00\x0cjP  "),
    ("JPEG 2000", 0, b"\xff\x4f\xff\x51"),
    ("JPEG XL", 0, b"\x00\x00\x00\x0cJXL "),
    ("WebP", 8, b"WEBP"),
    ("HEIF or AVIF", 4, b"ftyp"),
    ("OpenEXR", 0, b"\x76\x2f\x31\x01"),
    ("HDF5 or MINC", 0, b"\x89HDF\r\n\x1a\n"),
    ("Photoshop", 0, b"8BPS\0"),
)
"""Name, offset and bytes."""
ARCHIVES: tuple[tuple[str, int, bytes], ...] = (
    ("a tar archive", 257, b"ustar"),
    ("a 7z archive", 0, b"7z\xbc\xaf\x27\x1c"),
    ("a rar archive", 0, b"Rar!\x1a\x07"),
)
"""Only zip archives are opened: what others hold would be missing in silence."""
WEAKLY_MARKED: tuple[tuple[str, int, bytes], ...] = (
    ("BMP", 0, b"BM"),
    ("gzip, with no NIfTI in it: a tar archive, perhaps", 0, b"\x1f\x8b"),
    ("bzip2", 0, b"BZh"),
    ("xz", 0, b"\xfd7zXZ"),
    ("Zstandard", 0, b"\x28\xb5\x2f\xfd"),
    ("JPEG XL", 0, b"\xff\x0a"),
    *(("Netpbm other than binary grey or colour", 0, magic) for magic in (b"P1", b"P2", b"P3", b"P4", b"P7", b"PF", b"Pf")),
)
"""Few bytes, or of no image: enough to name a file that is to be read, not enough to call one in a folder an image."""
FOREIGN_EXTENSIONS = (
    *(".dcm", ".dicom", ".mgz", ".mgh", ".mnc", ".nii.bz2", ".nii.xz", ".nii.zst"),
    *(".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".7z", ".rar"),
    *(".bmp", ".jp2", ".j2k", ".jxl", ".webp", ".heic", ".heif", ".avif", ".pbm", ".pnm", ".psd", ".tga"),
)
"""How such files are usually named, so that searching a folder does not pass over them in silence."""


def refusal_of(head: bytes) -> StudyRefused:
    """Why a file that no reader took is refused: UNSUPPORTED_FILE_TYPE with the type's name, else NOT_AN_IMAGE.

    Args:
        head: its first bytes.
    """
    names = [name for name, offset, magic in (*FOREIGN, *ARCHIVES, *WEAKLY_MARKED) if head.startswith(magic, offset)]
    return StudyRefused("UNSUPPORTED_FILE_TYPE", names[0]) if names else StudyRefused("NOT_AN_IMAGE")


def is_foreign_image(head: bytes) -> bool:
    """Whether a file is surely an image of a type that is not read here, or may hold some. Args: head: its first bytes."""
    return any(head.startswith(magic, offset) for _, offset, magic in (*FOREIGN, *ARCHIVES))
