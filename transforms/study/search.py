"""Which files of a folder may be images: hidden files, links out and results of ours passed over, archives opened, what cannot
be read kept."""

from __future__ import annotations

import os
import secrets
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from caveat.reasons import StudyRefused

from ..checks.file_kind import FOREIGN_EXTENSIONS, is_foreign_image
from ..dicom.instance import looks_like_dicom
from ..dicom.packed import is_packed, packed_head
from ..dicom.sibling_names import SiblingNames, is_named_dicom, name_behind_hidden, pattern_of_place
from ..files.stored_result import NAME as RESULT
from ..files.stored_result import SCHEMA as OF_A_RESULT
from ..files.stored_result import written_files
from ..files.temporary_folder import temporary_folder
from ..image.study_image import HEAD_BYTES
from ..readers.reader import all_readers
from .archive import extract_archive

ARCHIVE = ".zip"
"""Only what is named as one is opened: office documents are such archives too."""
OF_THE_SYSTEM = ("/dev", "/proc", "/sys")
"""Folders of no files: what is read there is the machine itself, and some of it never ends or never answers."""


@dataclass(frozen=True)
class Found:
    """A file, or a folder that may not be read.

    Args:
        path: to open.
        place: below the input; of a file in an archive, below the archive.
        is_dicom: whether it begins like a DICOM file, compressed or not; or is named like those of its folder that do, or like
            those of folders beside it that hold a study together, so that it might be a slice of theirs.
    """

    path: Path
    place: PurePath
    is_dicom: bool = False


def search(path: Path) -> list[Found]:
    """What a file or a folder holds, in the order of the places.

    Raises:
        StudyRefused: UNREADABLE_FOLDER; OUTPUT_NOT_WRITABLE where an archive cannot be unpacked for want of room.
    """
    if not os.path.exists(path) or is_of_the_system(path):  # False, where Path.exists raises
        raise StudyRefused("UNREADABLE_FOLDER")
    found = list(_walk(path) if path.is_dir() else _file(path, PurePath(path.name)))
    if any(one.path == path and path.is_dir() for one in found):
        raise StudyRefused("UNREADABLE_FOLDER")
    return sorted(found, key=lambda one: one.place.parts)


def begins_like_dicom(file: Path) -> bool:
    """Whether a regular file's first bytes are those of a DICOM file, compressed or not; False where it cannot be read."""
    if not os.path.isfile(file):  # False, where Path.is_file raises
        return False
    head = _head(file)
    return looks_like_dicom(packed_head(file, HEAD_BYTES) if is_packed(head) else head)


def is_known(file: Path) -> bool:
    """Whether a file begins like one that is read here, and is no DICOM file."""
    head = _head(file)
    if begins_like_dicom(file) or is_packed(head) and not packed_head(file, HEAD_BYTES):  # damaged: what was in it nobody knows
        return False
    return any(reader.recognises(head) for reader in all_readers())


def is_archive(file: Path) -> bool:
    """Whether a regular file is named as an archive."""
    return file.name.lower().endswith(ARCHIVE) and os.path.isfile(file)


def is_of_the_system(path: Path) -> bool:
    """Whether a path leads to the machine itself. What lies in a folder of /dev, such as the memory /dev/shm, is somebody's."""
    real = os.path.realpath(path)
    return real in OF_THE_SYSTEM or real.startswith(("/proc/", "/sys/"))


def is_unpacked(path: Path) -> bool:
    """Whether a path lies in a folder that `extracted` made, which only this machine has and only while this process runs."""
    return path.is_relative_to(temporary_folder())


def extracted(archive: Path) -> Path:
    """A folder of what an archive holds, removed when the program ends.

    Raises:
        StudyRefused: of `extract_archive`, of `temporary_folder`.
    """
    folder = temporary_folder() / secrets.token_hex(8)
    extract_archive(archive, folder)
    return folder


def _walk(root: Path) -> Iterator[Found]:
    """Everything below a folder that may be an image."""
    unreadable: list[Path] = []
    tree, others, folders_of = root.resolve(), [], defaultdict(set)
    for folder, folders, names in os.walk(root, onerror=lambda error: unreadable.append(Path(error.filename))):
        if RESULT in names and OF_A_RESULT.encode() in _head(Path(folder, RESULT)):
            ours = written_files(Path(folder), names)  # masks and maps of ours would be measured as images
            names = [name for name in names if name not in ours]  # images that somebody put a result beside are none of ours
        folders[:] = [name for name in folders if not _is_hidden(name) and not is_of_the_system(Path(folder, name))]
        files = [Path(folder, name) for name in names if not _is_hidden(name)]
        try:  # devices and FIFOs may never answer
            plain = [file for file in files if file.is_file() and (not file.is_symlink() or _leads_to_a_hidden_place(file, tree))]
        except OSError:  # a folder that may be listed and not entered
            unreadable.append(Path(folder))
            continue
        dicom = {file for file in plain if begins_like_dicom(file)}
        siblings = SiblingNames(file.name for file in dicom)
        hidden = [Path(folder, name) for name in names if name.startswith(".")]
        slices = [file for file in hidden if begins_like_dicom(file) or siblings.include(name_behind_hidden(file.name))]
        for file in files + slices:
            is_sibling = file in slices or siblings.include(file.name)
            if file in plain and is_archive(file):
                yield from _file(file, file.relative_to(root), is_sibling)
            elif file in dicom or is_sibling and (file.is_file() or file.is_symlink()):
                folders_of[pattern_of_place(file)].add(folder)
                yield Found(file, file.relative_to(root), is_dicom=True)
            elif file in plain:
                others.append(file)
    for file in others:
        if len(folders_of[pattern_of_place(file)]) > 1:
            yield Found(file, file.relative_to(root), is_dicom=True)
        elif _is_image(file):
            yield from _file(file, file.relative_to(root))
    yield from (Found(folder, folder.relative_to(root)) for folder in unreadable)


def _leads_to_a_hidden_place(link: Path, tree: Path) -> bool:
    """Whether a link leads to a file of the same tree that the search does not come by, as those of git-annex and DataLad do.

    Others lead out of it, or to what is found without them.

    Args:
        link: to a file.
        tree: the folder that is searched through, itself no link. One within a repository may lead into its hidden store.
    """
    target = link.resolve()
    if target.is_relative_to(tree):
        return any(_is_hidden(part) for part in target.relative_to(tree).parts)
    stores = [parent.parent for parent in target.parents if parent.name == ".git"]
    return any(tree.is_relative_to(repository) for repository in stores)


def _file(file: Path, place: PurePath, is_sibling: bool = False) -> Iterator[Found]:
    """One file, or what it holds where it is an archive; an archive that is refused stands for itself, to be refused again.

    Args:
        file: to be found.
        place: of it.
        is_sibling: whether it is named like DICOM files beside it.
    """
    if is_archive(file):
        try:
            inside = extracted(file)
        except StudyRefused as refusal:
            if refusal.code == "OUTPUT_NOT_WRITABLE":  # a full disk says nothing of the archive: what it holds must not be missed
                raise
            yield Found(file, place, is_sibling)
            return
        yield from (Found(one.path, place / one.place, one.is_dicom) for one in _walk(inside))
        return
    yield Found(file, place, begins_like_dicom(file))


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _is_image(file: Path) -> bool:
    """Whether a regular file is named like an image, or begins like one."""
    if is_named_dicom(file.name):
        return True
    if file.name.lower().endswith((*FOREIGN_EXTENSIONS, *(ending for reader in all_readers() for ending in reader.extensions))):
        return True
    head = _head(file)
    return looks_like_dicom(head) or is_foreign_image(head) or any(reader.recognises(head) for reader in all_readers())


def _head(file: Path) -> bytes:
    """The first bytes; none where they cannot be read: whoever reads the whole file says so."""
    if not os.path.isfile(file) or is_of_the_system(file):  # devices and FIFOs may never answer
        return b""
    try:
        with file.open("rb") as opened:
            return opened.read(HEAD_BYTES)
    except OSError:
        return b""
