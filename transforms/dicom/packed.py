"""DICOM files that were compressed as a whole, by gzip or bzip2: read as what is in them."""

from __future__ import annotations

import bz2
import gzip
import secrets
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import BinaryIO

from caveat.reasons import StudyRefused

from ..checks.limits import LARGEST_FILE_BYTES
from ..files.temporary_folder import temporary_folder
from .deflated import ALWAYS_ALLOWED_BYTES, LARGEST_RATIO, PIECE_BYTES

OPENERS: dict[bytes, Callable[[BinaryIO], BinaryIO]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open}  # type: ignore[dict-item]
"""By how such files begin."""
DAMAGED = (OSError, EOFError, zlib.error, ValueError)
"""What the libraries raise."""


def is_packed(head: bytes) -> bool:
    """Whether a file begins like a compressed one. Args: head: its first bytes."""
    return head.startswith(tuple(OPENERS))


def packed_head(path: Path, count: int) -> bytes:
    """The first bytes of what a compressed file holds; none where they cannot be had. Args: count: of bytes."""
    try:
        with path.open("rb") as file, _opened(file) as pieces:
            return pieces.read(count)
    except DAMAGED:
        return b""


def unpacked(path: Path) -> Path:
    """A file with what a compressed one holds, removed when the program ends; the same one whenever it is asked for.

    Raises:
        StudyRefused: CORRUPT_GZIP, TOO_LARGE, UNREADABLE_FILE, OUTPUT_NOT_WRITABLE.
    """
    try:
        status = path.stat()
        return _unpacked(path, status.st_size, status.st_mtime_ns)
    except OSError as error:  # its text holds the path
        raise StudyRefused("UNREADABLE_FILE", type(error).__name__) from None


@cache
def _unpacked(path: Path, size: int, _changed: int) -> Path:
    limit = min(LARGEST_FILE_BYTES, max(ALWAYS_ALLOWED_BYTES, LARGEST_RATIO * size))
    with path.open("rb") as file:
        pieces = _opened(file)
        try:
            place = _folder() / f"{secrets.token_hex(8)}.dcm"  # its own name may be a patient's
            with place.open("xb") as out:
                while piece := _piece(pieces):
                    if out.tell() + len(piece) > limit:
                        raise StudyRefused("TOO_LARGE", f"a compressed file of {size} bytes holds more than {limit}")
                    out.write(piece)
        except OSError as error:  # a full disk says nothing of the study
            raise StudyRefused("OUTPUT_NOT_WRITABLE", f"the temporary folder: {type(error).__name__}") from None
    return place


def _piece(pieces: BinaryIO) -> bytes:
    """The next bytes, none at the end. Raises: StudyRefused: CORRUPT_GZIP."""
    try:
        return pieces.read(PIECE_BYTES)
    except DAMAGED as error:
        raise StudyRefused("CORRUPT_GZIP", type(error).__name__) from None


def _opened(file: BinaryIO) -> BinaryIO:
    """What a compressed file holds, as a file. Args: file: at its first byte, seekable."""
    head = file.read(3)
    file.seek(0)
    return next(opener for magic, opener in OPENERS.items() if head.startswith(magic))(file)


@cache
def _folder() -> Path:
    folder = temporary_folder() / secrets.token_hex(8)
    folder.mkdir(mode=0o700)
    return folder
