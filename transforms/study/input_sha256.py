"""The bytes that a study was measured from, as one number: read even where the study is refused."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from caveat.reasons import StudyRefused

from .inspect_study import Source
from .search import is_of_the_system, search

UNREADABLE = "unreadable"
GLIMPSE_BYTES = 2**14
GLIMPSES = 17
"""Places of a file that are looked at: its middle too, since volumes begin and end in air."""


def input_sha256(source: Source) -> str:
    """sha256 of all files of a study, in their order; what is no regular file or cannot be read counts as unreadable.

    Args:
        source: path or paths of the study. A folder counts as the DICOM files in it, in the order of their places.
    """
    paths: Sequence[str | Path] = [source] if isinstance(source, str | Path) else source
    files = [file for path in paths for file in _files_of(Path(path))]
    return hashlib.sha256(" ".join(_of_file(file) for file in files).encode("ascii")).hexdigest()


def input_glimpse(source: Source) -> str:
    """sha256 of sizes and some places of all files of a study: whether another machine sees the same, without reading all.

    Args:
        source: see `input_sha256`.
    """
    paths: Sequence[str | Path] = [source] if isinstance(source, str | Path) else source
    files = [file for path in paths for file in _files_of(Path(path))]
    return hashlib.sha256(" ".join(_glimpse_of(file) for file in files).encode("ascii")).hexdigest()


def _glimpse_of(path: Path) -> str:
    try:
        size = path.stat().st_size
        if not stat.S_ISREG(path.stat().st_mode) or is_of_the_system(path):
            return UNREADABLE
        digest = hashlib.sha256()
        with path.open("rb") as file:
            for place in range(GLIMPSES):
                file.seek(max(0, size - GLIMPSE_BYTES) * place // (GLIMPSES - 1))
                digest.update(file.read(GLIMPSE_BYTES))
        return f"{size} {digest.hexdigest()}"
    except (OSError, ValueError):
        return UNREADABLE


def _files_of(path: Path) -> list[Path]:
    try:
        return [one.path for one in search(path) if one.is_dicom] if os.path.isdir(path) else [path]
    except StudyRefused:
        return [path]


def _of_file(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode) or is_of_the_system(path):  # devices and FIFOs may never answer
            return UNREADABLE
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):  # the second for a name with a zero byte
        return UNREADABLE
