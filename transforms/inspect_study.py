"""One file read and checked, without torch: what `LoadStudyd` wraps and `caveat check` prints."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from caveat.reasons import StudyRefused

from .checks.file_kind import refusal_of
from .checks.limits import refuse_large_file
from .reader import HEAD_BYTES, Reader, Stated, StudyImage, all_readers


@dataclass(frozen=True)
class Inspected:
    """A study's image, which reader took it, and the sha256 of its file."""

    image: StudyImage
    kind: str
    sha256: str


def inspect_study(
    path: str | Path, stated: Stated | None = None, kinds: Collection[str] | None = None, sha256: str = ""
) -> Inspected:
    """Read one file, or refuse it. Neither its name nor its text is in what comes back or in what is raised.

    Args:
        path: of the file.
        stated: what the user states beside it.
        kinds: what may be read, None for all; another kind is refused before it is decoded.
        sha256: of the file as a data list has it; "" is not checked.

    Raises:
        StudyRefused: whatever keeps it from being read correctly.
    """
    with _opened(Path(path)) as (file, size):
        if size == 0:
            raise StudyRefused("EMPTY_FILE")
        refuse_large_file(size)
        reader = reader_of(file.read(HEAD_BYTES))
        if kinds is not None and reader.kind not in kinds:
            raise StudyRefused("NOT_THIS_KIND", f"{reader.kind} where {' or '.join(kinds)} is measured")
        file.seek(0)
        found = hashlib.file_digest(file, "sha256").hexdigest()
        if sha256 and found != sha256.lower():
            raise StudyRefused("INPUT_CHANGED")
        file.seek(0)
        return Inspected(reader.read(file, size, stated or Stated()), reader.kind, found)


def reader_of(head: bytes) -> Reader:
    """The reader whose files begin like this.

    Raises:
        StudyRefused: UNSUPPORTED_FILE_TYPE, NOT_AN_IMAGE.
    """
    for reader in all_readers():
        if reader.recognises(head):
            return reader
    raise refusal_of(head)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """A regular file and its size; devices and FIFOs, which may never answer, are not opened."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:  # the second for a name with a zero byte
        raise StudyRefused("UNREADABLE_FILE", type(error).__name__) from None
    if not stat.S_ISREG(status.st_mode):
        raise StudyRefused("UNREADABLE_FOLDER" if stat.S_ISDIR(status.st_mode) else "UNREADABLE_FILE")
    try:
        with path.open("rb") as file:
            yield file, status.st_size
    except OSError as error:  # its text holds the path
        raise StudyRefused("UNREADABLE_FILE", type(error).__name__) from None
