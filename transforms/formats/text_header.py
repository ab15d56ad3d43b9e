"""Headers of lines of text in front of binary voxels, as MetaImage and NRRD have them; none of their text leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from caveat.reasons import StudyRefused

LONGEST_HEADER_BYTES = 2**20
WHOLE = re.compile(r"\d{1,19}", re.ASCII)


def header_lines(file: BinaryIO) -> Iterator[str]:
    """The lines from here on, without the white space around them; the file stands behind each line that was given.

    Raises:
        StudyRefused: TRUNCATED, BAD_HEADER where no line ends within the limit.
    """
    room = LONGEST_HEADER_BYTES
    while True:
        line = file.readline(room)
        if not line.endswith(b"\n"):
            if len(line) < room:
                raise StudyRefused("TRUNCATED", "the file ends within its header")
            raise StudyRefused("BAD_HEADER", f"it does not end within {LONGEST_HEADER_BYTES} bytes")
        room -= len(line)
        yield line.decode("latin-1").strip()


def numbers(words: list[str], count: int) -> np.ndarray:
    """As many numbers as there must be. Returns: (count,) float64, perhaps not finite. Raises: StudyRefused: BAD_HEADER."""
    refused = StudyRefused("BAD_HEADER", f"{len(words)} words where {count} numbers belong")
    if len(words) != count or not all(word.isascii() and "_" not in word for word in words):  # Python alone would take these
        raise refused
    try:
        return np.array([float(word) for word in words])
    except ValueError:
        raise refused from None


def whole_numbers(words: list[str], count: int) -> tuple[int, ...]:
    """As many numbers above zero as there must be. Raises: StudyRefused: BAD_HEADER."""
    if len(words) != count or not all(WHOLE.fullmatch(word) and int(word) for word in words):
        raise StudyRefused("BAD_HEADER", f"{len(words)} words where {count} whole numbers above zero belong")
    return tuple(int(word) for word in words)
