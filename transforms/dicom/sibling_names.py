"""Whether a file is named like DICOM files: those it lies beside, or any. Then it is one of them, whatever its bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import PurePath

NUMBERS = re.compile(r"[0-9a-f]*[0-9][0-9a-f.]*")
"""Counters, identifiers, hashes: what differs between the names of one series."""
ENDING = re.compile(r"\.[a-z][a-z0-9_-]{0,9}$")
"""Of a name; what stands behind the last dot of an identifier is a number, and no ending."""
DICOM_ENDINGS = (".dcm", ".dicom", ".dic", ".ima")
WRAPPINGS = re.compile(r"\.(gz|bz2|xz|lzma|zst|lz4|z|zip|7z|rar|tar|tgz|part|partial|crdownload|download|filepart|tmp)$")
"""Of files that were compressed one by one, and of copies that are not finished."""
PLACEHOLDER = re.compile(r"\.(?!_)(.+)\.(icloud|[A-Za-z0-9]{6})")
"""A hidden file that stands for one which is not here: kept in a cloud, or still being copied by rsync."""

Pattern = tuple[PurePath, str, str]
"""Of a place: the folder that holds the file's folder, and the names of both without their numbers."""


class SiblingNames:
    """The names of the DICOM files of one folder.

    Args:
        names: of the files whose bytes are DICOM.
    """

    def __init__(self, names: Iterable[str]) -> None:
        parts = [_parts(name) for name in names]
        self.stems = {_pattern(stem, "") for stem, _ in parts}
        self.numbered = {ending: all(NUMBERS.search(stem) for stem, of in parts if of == ending) for _, ending in parts}

    def include(self, name: str) -> bool:
        """Whether a file of this name is one of them.

        By the same ending, where there is one and the name is numbered as theirs are; without one by the same name but for its
        numbers, since notes of a folder have no ending either.
        """
        if not name:
            return False
        stem, ending = _parts(name)
        if ending and ending in self.numbered:
            return bool(NUMBERS.search(stem)) or not self.numbered[ending]
        return not ending and _pattern(stem, "") in self.stems


def is_named_dicom(name: str) -> bool:
    """Whether a file ends as DICOM files are known to, compressed or not. Args: name: of the file."""
    return _parts(name)[1] in DICOM_ENDINGS


def name_behind_hidden(name: str) -> str:
    """What a file was called before it was hidden, or the one is called that it stands for; "" for a Mac's resource fork.

    Args:
        name: of the hidden file.
    """
    found = PLACEHOLDER.fullmatch(name)
    return found[1] if found else "" if name.startswith("._") else name[1:]


def pattern_of_place(place: PurePath) -> Pattern:
    """Equal for files of one name but for its numbers, in folders of one name but for its numbers, beside each other."""
    return place.parent.parent, pattern_of(place.parent.name), pattern_of(place.name)


@cache
def by_number(name: str) -> list[tuple[int, str]]:
    """Sorts names as people count: 9 before 10. Args: name: of a file."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


@cache
def pattern_of(name: str) -> str:
    """A file's name without its numbers, so that names of one series are equal."""
    return _pattern(*_parts(name))


def _parts(name: str) -> tuple[str, str]:
    """Stem and ending, in small letters; without what was wrapped around the file."""
    plain = WRAPPINGS.sub("", name.lower())
    found = ENDING.search(plain)
    return (plain[: found.start()], found[0]) if found else (plain, "")


def _pattern(stem: str, ending: str) -> str:
    return NUMBERS.sub("0", stem) + ending
