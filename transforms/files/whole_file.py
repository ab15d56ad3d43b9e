"""A file that is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write aside, onto the disk, and rename into place: whoever reads it, or kills the writer, never sees a half.

    Args:
        path: of the file. write: called with the path to write to, beside it.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        write(aside)
        flush(aside)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """A file's or a folder's content onto the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
