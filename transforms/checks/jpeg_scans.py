"""The scans of a JPEG: a decoder goes over the whole picture in each, and a file may hold any number of them."""

from __future__ import annotations

import re

from caveat.reasons import StudyRefused

MARK = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
"""Marks with a length behind them, and the end: neither stuffed and fill bytes nor restart marks."""
SCAN, END = 0xDA, 0xD9
LARGEST_DECODED_PIXELS = 10**9
"""Over all scans: ten, of which an ordinary progressive picture in colour consists, of the largest picture that is read."""


def scans_and_end(data: bytes) -> tuple[int, int]:
    """How many scans a JPEG has, and how many bytes up to the end of its picture: all of them where it has none.

    Source: ITU-T T.81, B.1.1.
    """
    position, scans = 2, 0
    while mark := MARK.search(data, position):
        if mark[1][0] == END:
            return scans, mark.end()
        scans += mark[1][0] == SCAN
        position = mark.end() + int.from_bytes(data[mark.end() : mark.end() + 2], "big")
    return scans, len(data)


def refuse_many_scans(scans: int, pixels: int) -> None:
    """Args: scans: of a picture; pixels: in one. Raises: StudyRefused: TOO_LARGE."""
    if scans * pixels > LARGEST_DECODED_PIXELS:
        raise StudyRefused("TOO_LARGE", f"{scans} scans of {pixels} pixels, the limit is {LARGEST_DECODED_PIXELS} in all")
