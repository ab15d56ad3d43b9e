"""Single values of a header, whatever state they are in: a damaged one is no number, never an exception."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache

from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

NOT_A_NUMBER = float("nan")
PRIVATE_BLOCKS = range(0x10, 0x20)
"""That makers reserve; the standard allows more, which none needs."""
PLAIN_VRS = frozenset(["AS", "CS", "DA", "DS", "DT", "IS", "LO", "SH", "TM", "UI"])
"""Text of one line. It is taken from the bytes, several times as fast as pydicom's own types, and never with a warning; letters
outside ASCII are only compared, never shown."""


def numbers(data: Dataset, keyword: str) -> tuple[float, ...]:
    """A decimal string's numbers.

    Args:
        data: a header or an item of a sequence.
        keyword: of an element of VR DS or IS.

    Returns:
        As many as there are, () where the element is absent or empty; NaN for what is no number.
    """
    found = text(data, keyword)
    return tuple(_number(part) for part in found.split("\\")) if found else ()


def finite_numbers(data: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """So many finite numbers, or None."""
    found = numbers(data, keyword)
    return found if len(found) == count and all(math.isfinite(number) for number in found) else None


def whole_number(data: Dataset, keyword: str) -> int | None:
    """One whole number, or None where there is none or several."""
    found = finite_numbers(data, keyword, 1)
    return int(found[0]) if found is not None and found[0] == int(found[0]) else None


def text(data: Dataset, keyword: str) -> str:
    """What an element says, several values separated by backslashes; "" where it is absent or empty."""
    tag, usual_vr = _entry(keyword)
    element = data.get_item(tag)
    if element is None:
        return ""
    value = element.value
    if isinstance(value, bytes) and (element.VR or usual_vr) in PLAIN_VRS:
        return value.decode("latin-1").strip(" \0")
    return _as_text(data[tag].value)


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return str(value).strip(" \0")
    return "\\".join(map(str, value))


def private_text(data: Dataset, group: int, creator: str, element: int) -> str:
    """What a maker's own element says, as `text`.

    Args:
        group: of the element.
        creator: who is said to have reserved its block, one of the first of the group.
        element: the last two digits of its number.

    Source: DICOM PS3.5, 7.8.1.
    """
    for block in PRIVATE_BLOCKS:
        reserved = data.get_item((group, block))
        if reserved is not None and _as_text(data[group, block].value) == creator:
            return _as_text(data[group, block << 8 | element].value) if (group, block << 8 | element) in data else ""
    return ""


def comparable(data: Dataset, keyword: str, digits: int = 12) -> str:
    """The same, numbers alike however they are written: "1" and "1.0". Args: digits: of a number that count."""
    return "\\".join(_alike(part.strip(), digits) for part in text(data, keyword).split("\\"))


@cache
def _entry(keyword: str) -> tuple[BaseTag, str]:
    """Tag, and the VR that the element has where the file leaves it out."""
    tag = Tag(keyword)
    return tag, dictionary_VR(tag)


def _alike(part: str, digits: int) -> str:
    number = _number(part)
    return f"{number:.{digits}g}" if math.isfinite(number) else part


def _number(part: str) -> float:
    try:
        return NOT_A_NUMBER if "_" in part else float(part)
    except ValueError:
        return NOT_A_NUMBER
