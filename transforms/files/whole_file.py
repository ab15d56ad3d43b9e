"""A file that is there whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from caveat.reasons import StudyRefused


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write aside, onto the disk, and rename into place: whoever reads it, or kills the writer, never sees a half.

    Args:
        path: of the file. write: called with the path to write to, beside it.
    """
    aside = path.with_name(f".{path.name}.{secrets.randbits(64)}.partial")  # no link that somebody put there is followed
    try:
        write(aside)
        flush(aside)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def write_text(path: Path, text: str, encoding: str = "utf-8", errors: str | None = None) -> None:
    """Write a text so; it takes the place of a link, and not of what that leads to."""
    write_whole(path, lambda aside: aside.write_text(text, encoding=encoding, errors=errors, newline=""))


def unwritable(error: OSError) -> StudyRefused:
    """Why an output cannot be written, in the system's words (a full disk has no class of its own), which hold no path."""
    return StudyRefused("OUTPUT_NOT_WRITABLE", error.strerror or type(error).__name__)


def flush(path: Path) -> None:
    """A file's or a folder's content onto the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
