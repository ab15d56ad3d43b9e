"""One study read and checked, without torch: what `LoadStudyd` wraps and `caveat check` prints."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path

import numpy as np

from caveat.reasons import StudyRefused

from ..checks.file_kind import refusal_of
from ..checks.limits import refuse_large_file
from ..dicom.choice import SeriesRule
from ..dicom.volume import RADIOGRAPH, VOLUME, read_dicom_study
from ..image.study_image import HEAD_BYTES, Stated, StudyImage
from ..readers.reader import Reader, all_readers
from .search import begins_like_dicom, extracted, is_archive, is_of_the_system, search

Source = str | Path | Sequence[str | Path]
"""What a study is: a file, a folder that holds one DICOM study, the files of a DICOM study, or one file or folder a channel."""
SAME_GRID_MM = 1e-3


@dataclass(frozen=True)
class Inspected:
    """A study's image, what kind of file it came from, and the sha256 of its file or files."""

    image: StudyImage
    kind: str
    sha256: str


def inspect_study(
    source: Source,
    stated: Stated | None = None,
    kinds: Collection[str] | None = None,
    sha256: str = "",
    rules: Sequence[SeriesRule] = (SeriesRule(),),
) -> Inspected:
    """Read one study, or refuse it. Neither its name nor its text is in what comes back or in what is raised.

    Args:
        source: see `Source`. Several files that are not DICOM are channels on one grid.
        stated: what the user states beside it.
        kinds: what may be read, None for all; another kind is refused before it is decoded.
        sha256: of the file as a data list has it; "" is not checked. Of several files: of their own, in hexadecimal, joined in
            sorted order (DICOM) or in the order of the channels.
        rules: which DICOM series is meant, one rule a channel.

    Raises:
        StudyRefused: whatever keeps it from being read correctly.
    """
    stated = stated or Stated()
    paths = [Path(source)] if isinstance(source, str | Path) else [Path(path) for path in source]
    files = dicom_files(paths)
    if files:
        image, digest = read_dicom_study(files, rules, stated, kinds)
        found = Inspected(image, RADIOGRAPH if image.voxels.ndim == 3 else VOLUME, digest)
    elif len(paths) == 1:
        found = _read_file(paths[0], stated, kinds)
    else:
        found = _as_channels([inspect_study(path, stated, kinds, rules=rules) for path in paths])
    if sha256 and found.sha256 != sha256.lower():
        raise StudyRefused("INPUT_CHANGED")
    return found


def dicom_files(paths: Sequence[Path]) -> list[Path]:
    """The files of a DICOM study: those given, or those in the one folder or archive given; none where the first is no DICOM.

    Raises:
        StudyRefused: UNREADABLE_FOLDER, ARCHIVE_REFUSED; NO_INPUT_FOUND for a folder or archive without DICOM files.
    """
    only = paths[0]
    if len(paths) == 1 and is_archive(only):
        only = extracted(only)
    if len(paths) == 1 and os.path.isdir(only):
        found = [one.path for one in search(only) if one.is_dicom]
        if not found:
            raise StudyRefused("NO_INPUT_FOUND", "a folder or archive that is one study must hold DICOM files")
        return found
    return list(paths) if begins_like_dicom(only) else []


def reader_of(head: bytes, name: str = "") -> Reader:
    """The reader whose files begin like this.

    Args:
        head: the first bytes.
        name: of the file, for the refusal.

    Raises:
        StudyRefused: UNSUPPORTED_FILE_TYPE, NOT_AN_IMAGE.
    """
    for reader in all_readers():
        if reader.recognises(head):
            return reader
    raise refusal_of(head, name)


def _read_file(path: Path, stated: Stated, kinds: Collection[str] | None) -> Inspected:
    """A study that is one file of a reader's."""
    with _opened(path) as (file, size):
        if size == 0:
            raise StudyRefused("EMPTY_FILE")
        refuse_large_file(size)
        reader = reader_of(file.read(HEAD_BYTES), path.name)
        if kinds is not None and reader.kind not in kinds:
            raise StudyRefused("NOT_THIS_KIND", f"{reader.kind} where {' or '.join(kinds)} is measured")
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        return Inspected(reader.read(file, size, stated), reader.kind, sha256)


def _as_channels(parts: Sequence[Inspected]) -> Inspected:
    """Images of one channel each, on one grid, as one image of the first one's grid and spacing.

    Raises:
        StudyRefused: CHANNELS_OFF_GRID, WRONG_CHANNELS; NOT_THIS_KIND for channels of several kinds.
    """
    first = parts[0].image
    for part in parts:
        if part.kind != parts[0].kind:
            raise StudyRefused("NOT_THIS_KIND", "channels of several kinds of file")
        if len(part.image.voxels) != 1:
            raise StudyRefused("WRONG_CHANNELS", f"{len(part.image.voxels)} in a file that is one channel")
        if part.image.voxels.shape != first.voxels.shape or np.abs(part.image.affine - first.affine).max() > SAME_GRID_MM:
            raise StudyRefused("CHANNELS_OFF_GRID")
    image = replace(
        first,
        voxels=np.concatenate([part.image.voxels for part in parts]),
        flags=tuple(dict.fromkeys(flag for part in parts for flag in part.image.flags)),
    )
    joined = "".join(part.sha256 for part in parts)
    return Inspected(image, parts[0].kind, hashlib.sha256(joined.encode("ascii")).hexdigest())


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BufferedReader, int]]:
    """A regular file and its size; devices and FIFOs, which may never answer, are not opened."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:  # the second for a name with a zero byte
        raise StudyRefused("UNREADABLE_FILE", type(error).__name__) from None
    if not stat.S_ISREG(status.st_mode) or is_of_the_system(path):
        raise StudyRefused("UNREADABLE_FOLDER" if stat.S_ISDIR(status.st_mode) else "UNREADABLE_FILE")
    try:
        with path.open("rb") as file:
            yield file, status.st_size
    except OSError as error:  # its text holds the path
        raise StudyRefused("UNREADABLE_FILE", type(error).__name__) from None
