"""A zip archive unpacked, where it is one of plain files within the limits; its names never leave it as they are."""

from __future__ import annotations

import hashlib
import itertools
import mmap
import os
import re
import shutil
import stat
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from caveat.reasons import StudyRefused

from ..files.temporary_folder import refusal_of_temporary
from .study_name import LONGEST_NAME, OTHER_LETTERS, StudyNames, safe_name, stem_of, without_accents

BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06")
"""Of an archive with entries, and of one without."""
ENTRY = re.compile(rb"PK\x01\x02")
"""What each entry of the directory begins with."""
SPLIT_MARKER_BYTES = 4
"""That stand before the first entry where a program began to split an archive, and came out with one part."""
ENCRYPTED = 0x1 | 0x40 | 0x2000
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
NESTED: tuple[tuple[int, bytes], ...] = (
    *((0, beginning) for beginning in BEGINNINGS),
    *((0, magic) for magic in (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\xfd7zXZ\x00", b"BZh", b"\x28\xb5\x2f\xfd")),
    (257, b"ustar"),
)
"""Offset and bytes of archives, and of compressed files that hold one. Gzip is left to the readers: NIfTI comes in it."""
BLOCK_BYTES = 2**20
FREE_BYTES = 2**20
"""So much is unpacked of any archive before its ratio counts: an empty mask is a thousand times shorter."""
ENDING = re.compile(r"(\.nii)?\.[A-Za-z0-9]{1,6}$", re.IGNORECASE)


@dataclass(frozen=True)
class ArchiveLimits:
    """What an archive may hold.

    Args:
        entries: files and folders.
        total_bytes: unpacked.
        ratio: of what is unpacked to the archive's own size.
    """

    entries: int = 65_536
    total_bytes: int = 8 * 1024**3
    ratio: int = 200


def extract_archive(path: Path, folder: Path, limits: ArchiveLimits | None = None) -> None:
    """Unpack a zip archive of plain files, or nothing of it.

    Each file keeps its name as far as a result's folder can be named so, its ending, and its place in the tree; what is hidden
    stays hidden. Nobody else may enter the folder.

    Args:
        path: of the archive.
        folder: to be made.
        limits: by default 65 536 entries, 8 GiB, 200 times the archive's size; counted while writing, whatever it declares.

    Raises:
        StudyRefused: ARCHIVE_REFUSED (a name that leads out of the folder, twice the same name, a link or a device, an
            encrypted entry, an archive within, a limit), CORRUPT, UNREADABLE_FILE, OUTPUT_NOT_WRITABLE.
    """
    limits = limits or ArchiveLimits()
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        _refuse_many_entries(file, size, limits)
        try:
            with zipfile.ZipFile(file) as archive:
                targets = _targets(archive)
                room = min(limits.total_bytes, max(limits.ratio * size, FREE_BYTES))
                _write_all(archive, targets, folder, room)
        except StudyRefused:
            raise
        except Exception as error:  # a damaged archive can make the library raise anything, with a name in its text
            raise StudyRefused("CORRUPT", type(error).__name__) from None


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:  # its text holds the path
        raise StudyRefused("UNREADABLE_FILE", type(error).__name__) from None


def _refuse_many_entries(file: IO[bytes], size: int, limits: ArchiveLimits) -> None:
    """Counted in the bytes: the library would first make an object of each, and the number declared may be another."""
    if size == 0:
        raise StudyRefused("CORRUPT", "an empty file")
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        # The library's own list is counted in `_targets`; this keeps it from growing past any limit.
        found = sum(1 for _ in itertools.islice(ENTRY.finditer(data), limits.entries + 1))
    if found > limits.entries:
        raise StudyRefused("ARCHIVE_REFUSED", f"more than {limits.entries} entries")


def _targets(archive: zipfile.ZipFile) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """The files of an archive, and where each goes below the folder. Raises: StudyRefused: ARCHIVE_REFUSED."""
    entries = [(entry, _parts(entry, number)) for number, entry in enumerate(archive.infolist(), start=1)]
    if entries and min(entry.header_offset for entry, _ in entries) > SPLIT_MARKER_BYTES:
        raise StudyRefused("ARCHIVE_REFUSED", "another file, or another archive, stands before its first entry")
    seen: set[tuple[str, ...]] = set()
    names = _names_of_folders([parts for entry, parts in entries if not entry.is_dir()])
    folders: dict[tuple[str, ...], PurePosixPath] = {(): PurePosixPath()}
    targets = []
    for number, (entry, parts) in enumerate(entries, start=1):
        key = _key(parts)
        if not entry.is_dir():
            if key in seen:
                raise StudyRefused("ARCHIVE_REFUSED", f"entry {number} has a name that was there before")
            seen.add(key)
        for depth in range(1, len(parts) + (1 if entry.is_dir() else 0)):
            if key[:depth] not in folders:
                folders[key[:depth]] = folders[key[: depth - 1]] / names[key[: depth - 1]].folder(parts[depth - 1])
        if not entry.is_dir():
            targets.append((entry, folders[key[:-1]] / names[key[:-1]].file(parts[-1])))
    if seen & set(folders):
        raise StudyRefused("ARCHIVE_REFUSED", "a file and a folder have one name")
    return targets


def _parts(entry: zipfile.ZipInfo, number: int) -> tuple[str, ...]:
    """The parts of an entry's name. Raises: StudyRefused: ARCHIVE_REFUSED where it is none of a plain file or folder."""
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise StudyRefused("ARCHIVE_REFUSED", f"entry {number} is a link or a device")
    if entry.flag_bits & ENCRYPTED:
        raise StudyRefused("ARCHIVE_REFUSED", f"entry {number} is encrypted")
    if entry.compress_type not in METHODS:
        raise StudyRefused("ARCHIVE_REFUSED", f"entry {number} is compressed by method {entry.compress_type}")
    if entry.orig_filename.lower().endswith(".zip"):  # of which the first bytes may say something else
        raise StudyRefused("ARCHIVE_REFUSED", "an archive lies within it")
    name = entry.orig_filename.replace("\\", "/")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if not parts or name.startswith("/") or ".." in parts or "\0" in name or re.match("[A-Za-z]:", name):
        raise StudyRefused("ARCHIVE_REFUSED", f"the name of entry {number} leads out of the folder")
    return parts


def _key(parts: Iterable[str]) -> tuple[str, ...]:
    """What tells two names apart: some file systems do not tell cases apart."""
    return tuple(part.casefold() for part in parts)


def _names_of_folders(files: Iterable[tuple[str, ...]]) -> defaultdict[tuple[str, ...], FolderNames]:
    """Folder to the names in it. Args: files: their names in parts."""
    found: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for parts in files:
        found[_key(parts[:-1])].add(parts[-1])
    return defaultdict(FolderNames, {folder: FolderNames(names) for folder, names in found.items()})


class FolderNames:
    """Names of one folder's files and folders on the disk.

    Files that are channels of one image are found by what their names have in common, so two parts of names that come to the same
    must not be taken for one, nor told apart by a number: it would depend on their order which of two patients a file is of.
    Where there are such, letters that cannot stay are replaced by their hash.

    Args:
        parts: names of all files in the folder.
    """

    def __init__(self, parts: Iterable[str] = ()) -> None:
        self.names = StudyNames()
        self.hashed = _may_be_taken_for_another({unicodedata.normalize("NFC", stem_of(PurePosixPath(part))) for part in parts})

    def file(self, part: str) -> str:
        """A file's name of its own, with the ending by which files of a type are looked for."""
        return self._safe(part, _hashed(part) if self.hashed else part)

    def folder(self, part: str) -> str:
        """A folder's name of its own."""
        return self._safe(part, part)

    def _safe(self, part: str, kept: str) -> str:
        ending = ENDING.search(part.lstrip("."))
        return ("." if part.startswith(".") else "") + self.names.of(PurePosixPath(kept)) + (ending[0] if ending else "")


def _may_be_taken_for_another(stems: set[str]) -> bool:
    """Whether a part of a name, made harmless, stands in that of another file, which has not that part."""
    if any(len(stem) > LONGEST_NAME for stem in stems):  # what tells two apart may be cut off
        return len(stems) > 1
    harmless = {stem: safe_name(stem) for stem in stems}
    changed = {piece for stem in stems if harmless[stem] != stem for piece in stem.split("_") if safe_name(piece) != piece}
    pieces = {piece: OTHER_LETTERS.sub("_", without_accents(piece)).lstrip(".-") for piece in changed if piece}
    return any(short in harmless[stem] and piece not in stem for piece, short in pieces.items() for stem in stems)


def _hashed(part: str) -> str:
    """The name with a hash in the place of each run of letters that cannot stay, and of one that is too long."""
    path = PurePosixPath(unicodedata.normalize("NFC", part))
    stem = stem_of(path)
    if len(stem) > LONGEST_NAME:
        kept = _digest(stem)
    else:
        lead = len(stem) - len(stem.lstrip(".-"))
        kept = (_digest(stem[:lead]) if lead else "") + OTHER_LETTERS.sub(lambda found: _digest(found[0]), stem[lead:])
    return f"{kept}{path.name[len(stem) :]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]


def _write_all(archive: zipfile.ZipFile, targets: list[tuple[zipfile.ZipInfo, PurePosixPath]], folder: Path, room: int) -> None:
    """Write every file, or leave no folder. Args: room: bytes, together."""
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise refusal_of_temporary(error) from None
    whole = False
    try:
        for entry, target in targets:
            place = folder / target
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as file:
                for block in _blocks(archive, entry):
                    room -= len(block)
                    if room < 0:
                        raise StudyRefused("ARCHIVE_REFUSED", "it unpacks to more than the limit")
                    file.write(block)
        whole = True
    except OSError as error:
        raise refusal_of_temporary(error) from None
    finally:
        if not whole:
            shutil.rmtree(folder, ignore_errors=True)


def _blocks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of an entry, its checksum verified at the end. Raises: StudyRefused: ARCHIVE_REFUSED, CORRUPT."""
    try:
        with archive.open(entry) as file:
            block = file.read(BLOCK_BYTES)
            if any(block.startswith(magic, offset) for offset, magic in NESTED):
                raise StudyRefused("ARCHIVE_REFUSED", "an archive lies within it")
            while block:
                yield block
                block = file.read(BLOCK_BYTES)
    except OSError as error:  # of reading: an entry that is said to begin before the file, a disk that is damaged
        raise StudyRefused("CORRUPT", type(error).__name__) from None
