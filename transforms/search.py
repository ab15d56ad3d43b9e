"""Which files of a folder may be images: links and hidden files passed over, archives opened, what cannot be read kept."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from caveat.reasons import StudyRefused

from .archive import extract_archive
from .checks.file_kind import FOREIGN_EXTENSIONS, is_foreign_image
from .dicom.instance import looks_like_dicom
from .reader import HEAD_BYTES, all_readers

ARCHIVE = ".zip"
"""Only what is named as one is opened: office documents are such archives too."""


@dataclass(frozen=True)
class Found:
    """A file, or a folder that may not be read.

    Args:
        path: to open.
        place: below the input; of a file in an archive, below the archive.
        is_dicom: whether it begins like a DICOM file.
    """

    path: Path
    place: PurePath
    is_dicom: bool = False


def search(path: Path) -> list[Found]:
    """What a file or a folder holds, in the order of the places.

    Raises:
        StudyRefused: UNREADABLE_FOLDER.
    """
    if not os.path.exists(path):  # False, where Path.exists raises
        raise StudyRefused("UNREADABLE_FOLDER")
    found = list(_walk(path) if path.is_dir() else _file(path, PurePath(path.name)))
    if any(one.path == path and path.is_dir() for one in found):
        raise StudyRefused("UNREADABLE_FOLDER")
    return sorted(found, key=lambda one: one.place.parts)


def begins_like_dicom(file: Path) -> bool:
    """Whether a regular file's first bytes are those of a DICOM file; False where it cannot be read."""
    return file.is_file() and looks_like_dicom(_head(file))


def is_archive(file: Path) -> bool:
    """Whether a regular file is named as an archive."""
    return file.name.lower().endswith(ARCHIVE) and file.is_file()


def extracted(archive: Path) -> Path:
    """A folder of what an archive holds, removed when the program ends.

    Raises:
        StudyRefused: of `extract_archive`.
    """
    place = Path(tempfile.mkdtemp(prefix="caveat-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    extract_archive(archive, place / "unpacked")
    return place / "unpacked"


def _walk(root: Path) -> Iterator[Found]:
    """Everything below a folder that may be an image."""
    unreadable: list[Path] = []
    for folder, folders, files in os.walk(root, onerror=lambda error: unreadable.append(Path(error.filename))):
        folders[:] = [name for name in folders if not _is_hidden(name)]
        for file in (Path(folder, name) for name in files if not _is_hidden(name)):
            # Links may lead out of the folder or back into it; devices and FIFOs may never answer.
            if not file.is_symlink() and file.is_file() and (is_archive(file) or _is_image(file)):
                yield from _file(file, file.relative_to(root))
    yield from (Found(folder, folder.relative_to(root)) for folder in unreadable)


def _file(file: Path, place: PurePath) -> Iterator[Found]:
    """One file, or what it holds where it is an archive; an archive that is refused stands for itself, to be refused again."""
    if is_archive(file):
        try:
            inside = extracted(file)
        except StudyRefused:
            yield Found(file, place)
            return
        yield from (Found(one.path, place / one.place, one.is_dicom) for one in _walk(inside))
        return
    yield Found(file, place, begins_like_dicom(file))


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _is_image(file: Path) -> bool:
    """Whether a regular file is named like an image, or begins like one."""
    if file.name.lower().endswith((*FOREIGN_EXTENSIONS, *(ending for reader in all_readers() for ending in reader.extensions))):
        return True
    head = _head(file)
    return looks_like_dicom(head) or is_foreign_image(head) or any(reader.recognises(head) for reader in all_readers())


def _head(file: Path) -> bytes:
    """The first bytes; none where they cannot be read: whoever reads the whole file says so."""
    try:
        with file.open("rb") as opened:
            return opened.read(HEAD_BYTES)
    except OSError:
        return b""
