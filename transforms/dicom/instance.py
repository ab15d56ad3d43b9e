"""One DICOM file, its header alone."""

from __future__ import annotations

import mmap
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from pydicom.dataset import FileDataset
from pydicom.filereader import read_dataset, read_file_meta_info, read_partial
from pydicom.tag import BaseTag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from caveat.reasons import StudyRefused

from ..checks.limits import LARGEST_DECODED_BYTES, refuse_large_file
from ..image.study_image import HEAD_BYTES
from .deflated import inflate
from .element_limits import FIRST_PIXEL_TAG, Bytes, meta_group, walk_header
from .header_values import text
from .identity_keywords import SORTED_BY
from .packed import is_packed, unpacked
from .quiet_pydicom import quiet_pydicom

MARK = slice(128, 132)
"""Where "DICM" stands, behind a preamble."""
META_GROUP, META_VRS = b"\x02\x00", (b"UL", b"OB", b"UI")
BIG = b"\x00\x08"
"""Group 8 with the higher byte first."""
CLASSES = ((b"\x08\x00", b"\x16\x00"), (BIG, b"\x00\x16"))
"""Group and element of the class of object, in both orders."""
PIXEL_DATA = 0x7FE00010
SHORTEST_ELEMENT_BYTES = 8
WALKED_FIRST_BYTES = 2**20
"""Smaller files cannot hold enough elements to take much memory or time."""


@dataclass(frozen=True)
class PixelPlace:
    """Where the value of PixelData stands in a file.

    Args:
        vr: as it is written, None in implicit VR.
        offset: of its first byte in the file.
        length: in bytes; `element_limits.UNDEFINED` where it is in pieces.
    """

    vr: str | None
    offset: int
    length: int


@dataclass(frozen=True)
class Instance:
    """A file and its header; pixels are read later, by `values.py`, and only those that are wanted.

    Args:
        path: of the file. Never printed: names of DICOM files may hold a patient's.
        header: everything before the pixel data, with `file_meta`.
        pixels: where PixelData stands; None where there is none, and for a deflated file.
        source: the file as it was found: `path`, unless it was compressed as a whole and is read from elsewhere.
        copies: further files as they were found that are the same, byte for byte.
        study, series: their identifiers, or what stands in for them where the header does not hold them (`identity.py`).
        is_identified: whether it does.
    """

    path: Path
    header: FileDataset
    pixels: PixelPlace | None = None
    source: Path = Path()
    copies: tuple[Path, ...] = ()
    study: str = ""
    series: str = ""
    is_identified: bool = True

    @property
    def folder(self) -> Path:
        """That the file was found in."""
        return self.source.parent

    @property
    def sop_class(self) -> UID:
        """What kind of object it is; "" where it does not say."""
        return UID(str(self.header.get("SOPClassUID") or self.header.file_meta.get("MediaStorageSOPClassUID") or ""))

    @property
    def is_image(self) -> bool:
        """Whether it holds pixels to be measured: by the standard's name of its class, so no segmentation, dose or report."""
        name = self.sop_class.name
        return "Image Storage" in name and not name.startswith("RT ")


def looks_like_dicom(head: bytes) -> bool:
    """Whether a file begins like DICOM: by its mark; or, where it has no preamble, by its meta group, or its class of object.

    Args:
        head: its first bytes, some thousand.
    """
    if head[MARK] == b"DICM":
        return True
    meta = head.startswith(META_GROUP) and head[4:6] in META_VRS
    data = any(
        head.startswith(group) and group + element in head for group, element in ((b"\x08\0", b"\x16\0"), (BIG, b"\0\x16"))
    )
    return (meta or data) and b"1.2.840.10008." in head


def read_instance(path: Path) -> Instance:
    """Read the header of one file, which may be compressed as a whole.

    Raises:
        StudyRefused: UNREADABLE_FILE, EMPTY_FILE, NOT_DICOM, TOO_LARGE, CORRUPT_GZIP, BAD_HEADER, TRUNCATED.
    """
    source = path
    size, head = read_head(path)
    if size == 0:
        raise StudyRefused("EMPTY_FILE")
    if is_packed(head):
        path = unpacked(path)
        size, head = read_head(path)
    if not looks_like_dicom(head):
        raise StudyRefused("NOT_DICOM")
    refuse_large_file(size)
    with quiet_pydicom():
        try:
            syntax, start = _encoding(path, head, size)
            instance = _inflated(path) if syntax == DeflatedExplicitVRLittleEndian else _plain(path, syntax, start)
            _refuse_incomplete(instance)
            study, series = (text(instance.header, keyword) for keyword in ("StudyInstanceUID", "SeriesInstanceUID"))
        except StudyRefused:
            raise
        except Exception as error:  # whatever pydicom makes of a damaged file; its text may hold words of it
            raise StudyRefused("NOT_DICOM", type(error).__name__) from None
    return replace(instance, source=source, study=study, series=series)


def data_set_of(path: Path) -> tuple[str, int]:
    """The transfer syntax that a file states, "" where it states none, and where its data set begins."""
    _, head = read_head(path)
    start, syntax = meta_group(head, MARK.stop if head[MARK] == b"DICM" else 0)
    return syntax, start


def read_head(path: Path) -> tuple[int, bytes]:
    """A regular file's size and first bytes; devices and FIFOs, which may never answer, are not opened.

    Raises:
        StudyRefused: UNREADABLE_FILE.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise StudyRefused("UNREADABLE_FILE")
        with path.open("rb") as file:
            return status.st_size, file.read(HEAD_BYTES)
    except (OSError, ValueError) as error:  # the second for a name with a zero byte; their texts hold the path
        raise StudyRefused("UNREADABLE_FILE", type(error).__name__) from None


def _encoding(path: Path, head: bytes, size: int) -> tuple[str, int]:
    """The transfer syntax, "" where none is stated, and where the data set begins; the elements of a large file are counted.

    Raises:
        StudyRefused: TOO_LARGE, TRUNCATED.
    """
    begin = MARK.stop if head[MARK] == b"DICM" else 0
    start, syntax = meta_group(head, begin)
    if start >= len(head) and size > len(head) or size > WALKED_FIRST_BYTES:
        with _mapped(path) as data:
            start, syntax = meta_group(data, begin)
            if syntax != DeflatedExplicitVRLittleEndian:
                walk_header(data, start, *_encoding_of(data, start, syntax))
    if start + SHORTEST_ELEMENT_BYTES > size:
        raise StudyRefused("TRUNCATED", "the file ends within its header")
    return syntax, start


def _encoding_of(data: Bytes, start: int, syntax: str) -> tuple[bool, bool]:
    """Whether VRs are left out, and whether the lower byte comes first. Args: as of `_encoding`."""
    bare = not syntax and not bytes(data[start + 4 : start + 6]).isalpha()
    big = syntax == ExplicitVRBigEndian or not syntax and data[start : start + 2] == BIG
    return bare or syntax == ImplicitVRLittleEndian, not big


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def _plain(path: Path, syntax: str, start: int) -> Instance:
    """Read up to the pixels, and note where they are.

    Raises:
        StudyRefused: TRUNCATED, for a file that ends before its pixels, or within an element; pydicom returns what there is.
    """
    pixels: list[PixelPlace | None] = []
    with path.open("rb") as file:

        def stop(tag: BaseTag, vr: str | None, length: int) -> bool:
            number = int(tag)  # comparing pydicom's tags is most of the time otherwise
            if number >= FIRST_PIXEL_TAG:
                pixels.append(PixelPlace(vr, file.tell(), length) if number == PIXEL_DATA else None)
            return number >= FIRST_PIXEL_TAG

        header = read_partial(file, stop, force=True)
    instance = Instance(path, header, pixels[0] if pixels else None)
    if not pixels:
        with _mapped(path) as data:
            end = walk_header(data, start, *_encoding_of(data, start, syntax))
        is_other = instance.sop_class.name != instance.sop_class and not instance.is_image  # by its whole name: no slice
        if not is_other and (instance.is_image or end > path.stat().st_size):
            raise StudyRefused("TRUNCATED", "the file ends before its pixels, or within its header")
    return instance


def _inflated(path: Path) -> Instance:
    data = inflate(path, LARGEST_DECODED_BYTES)
    walk_header(data, 0, implicit=False, little_endian=True)
    found = read_dataset(BytesIO(data), False, True, stop_when=lambda tag, vr, length: tag >= FIRST_PIXEL_TAG)
    return Instance(path, FileDataset(str(path), found, b"\0" * 128, read_file_meta_info(path), False, True))


def _refuse_incomplete(instance: Instance) -> None:
    """What every object, and every image, must say of itself."""
    if not instance.sop_class:
        raise StudyRefused("NOT_DICOM", "it does not say what kind of object it is")
    size = [instance.header.get(keyword) for keyword in ("Rows", "Columns")]  # asked of every object: it may be a slice
    if not instance.is_image:
        return
    instance.header.get("PatientName")  # its letters are decoded, which the others' are not
    for keyword in SORTED_BY:
        text(instance.header, keyword)
    if not all(isinstance(length, int) and length > 0 for length in size):
        raise StudyRefused("BAD_HEADER", "an image does not say how many rows and columns it has")
