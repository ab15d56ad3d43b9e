"""Files that are images, but of a type that is not read here: named, so that the refusal can say so."""

from __future__ import annotations

import zlib

from caveat.reasons import StudyRefused

GZIP_WINDOW = 31
"""Tells zlib to expect a gzip header."""

FOREIGN: tuple[tuple[str, int, bytes], ...] = (
    ("DICOM", 128, b"DICM"),
    ("JPEG 2000", 0, b"\x00\x00\x00\x0cjP  "),
    ("JPEG 2000", 0, b"\xff\x4f\xff\x51"),
    ("JPEG XL", 0, b"\x00\x00\x00\x0cJXL "),
    ("WebP", 8, b"WEBP"),
    ("HEIF or AVIF", 4, b"ftyp"),
    ("OpenEXR", 0, b"\x76\x2f\x31\x01"),
    ("HDF5, or MINC: mnc2nii IN.mnc OUT.nii", 0, b"\x89HDF\r\n\x1a\n"),
    ("Photoshop", 0, b"8BPS\0"),
    ("MRtrix: mrconvert IN OUT.nii.gz", 0, b"mrtrix image"),
    ("Philips PAR/REC: parrec2nii --store-header IN.PAR, or dcm2niix FOLDER", 0, b"# === DATA DESCRIPTION FILE"),
    ("AFNI: 3dAFNItoNIFTI -prefix OUT.nii.gz IN.HEAD", 0, b"\ntype = string-attribute"),
    ("AFNI: 3dAFNItoNIFTI -prefix OUT.nii.gz IN.HEAD", 0, b"\ntype  = string-attribute"),
    ("MINC: mnc2nii IN.mnc OUT.nii", 0, b"CDF\x01"),
    ("Interfile", 0, b"!INTERFILE"),
    ("ECAT", 0, b"MATRIX7"),
)
"""Name, offset and bytes."""
ARCHIVES: tuple[tuple[str, int, bytes], ...] = (
    ("a tar archive", 257, b"ustar"),
    ("a 7z archive", 0, b"7z\xbc\xaf\x27\x1c"),
    ("a rar archive", 0, b"Rar!\x1a\x07"),
)
"""Only zip archives are opened: what others hold would be missing in silence."""
MGH_MAGIC = b"\0\0\0\1\0\0"
"""Version 1, and a width below 65536, in big-endian words of 32 bits."""
MGH = "FreeSurfer MGH or MGZ: mri_convert IN OUT.nii.gz"
WEAKLY_MARKED: tuple[tuple[str, int, bytes], ...] = (
    ("BMP", 0, b"BM"),
    (MGH, 0, MGH_MAGIC),
    ("gzip, with no NIfTI in it: a tar archive, perhaps", 0, b"\x1f\x8b"),
    ("bzip2", 0, b"BZh"),
    ("xz", 0, b"\xfd7zXZ"),
    ("Zstandard", 0, b"\x28\xb5\x2f\xfd"),
    ("JPEG XL", 0, b"\xff\x0a"),
    *(("Netpbm other than binary grey or colour", 0, magic) for magic in (b"P1", b"P2", b"P3", b"P4", b"P7", b"PF", b"Pf")),
)
"""Few bytes, or of no image: enough to name a file that is to be read, not enough to call one in a folder an image."""
FOREIGN_EXTENSIONS = (
    *(".dcm", ".dicom", ".mgz", ".mgh", ".mnc", ".brik", ".brik.gz", ".nii.bz2", ".nii.xz", ".nii.zst"),
    *(".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".7z", ".rar"),
    *(".bmp", ".jp2", ".j2k", ".jxl", ".webp", ".heic", ".heif", ".avif", ".pbm", ".pnm", ".psd", ".tga"),
)
"""How such files are usually named, so that searching a folder does not pass over them in silence."""
BARE_VOXELS = {
    **dict.fromkeys((".brik", ".brik.gz"), "voxels of AFNI: 3dAFNItoNIFTI -prefix OUT.nii.gz IN.HEAD"),
    ".rec": "voxels of Philips PAR/REC: parrec2nii IN.PAR, or dcm2niix FOLDER",
    ".img": "voxels of a pair of files: nib-convert IN.hdr OUT.nii.gz",
    ".raw": "voxels without a header",
}
"""By the names of files whose bytes say nothing."""


def refusal_of(head: bytes, name: str = "") -> StudyRefused:
    """Why a file that no reader took is refused: UNSUPPORTED_FILE_TYPE with its type and how to convert it, else NOT_AN_IMAGE.

    Args:
        head: its first bytes.
        name: of the file, for what has no mark of its own.
    """
    if _unzipped(head).startswith(MGH_MAGIC):
        return StudyRefused("UNSUPPORTED_FILE_TYPE", MGH)
    kinds = [kind for kind, offset, magic in (*FOREIGN, *ARCHIVES) if head.startswith(magic, offset)]
    kinds += [kind for ending, kind in BARE_VOXELS.items() if name.lower().endswith(ending)]
    kinds += [kind for kind, offset, magic in WEAKLY_MARKED if head.startswith(magic, offset)]
    return StudyRefused("UNSUPPORTED_FILE_TYPE", kinds[0]) if kinds else StudyRefused("NOT_AN_IMAGE")


def _unzipped(head: bytes) -> bytes:
    """The first bytes of what a gzip file holds; none where it is none."""
    try:
        return zlib.decompressobj(wbits=GZIP_WINDOW).decompress(head, len(MGH_MAGIC))
    except zlib.error:
        return b""


def is_foreign_image(head: bytes) -> bool:
    """Whether a file is surely an image of a type that is not read here, or may hold some. Args: head: its first bytes."""
    return any(head.startswith(magic, offset) for _, offset, magic in (*FOREIGN, *ARCHIVES))
