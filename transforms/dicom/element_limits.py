"""How many elements a header holds and how deep they are nested, counted before anything is made of them."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass, field

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from caveat.reasons import StudyRefused

MOST_ELEMENTS = 500_000
"""An enhanced object of 5000 frames has about 300 000; pydicom takes some 10 us and 1 kB for each."""
DEEPEST_NESTING = 60
"""Sequences within sequences; structured reports reach some 20, images 5."""
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
FIRST_PIXEL_TAG = 0x7FE00008
LONG_VRS = frozenset(vr.encode() for vr in EXPLICIT_VR_LENGTH_32)


Bytes = bytes | mmap.mmap
"""A file, or its bytes."""


@dataclass
class _Place:
    """Where the walk is: open sequences and items as (end or None, implicit VR)."""

    position: int
    implicit: bool
    open: list[tuple[int | None, bool]] = field(default_factory=list)


def walk_header(data: Bytes, start: int, implicit: bool, little_endian: bool) -> int:
    """Walk over the elements up to the pixel data.

    Args:
        data: a file, or what a deflated one inflates to; anything that slices into bytes.
        start: of the data set.
        implicit: whether VRs are left out.
        little_endian: order of bytes.

    Returns:
        Where the walk ended; behind the data where it ends within an element.

    Raises:
        StudyRefused: TOO_LARGE.
    """
    place, count = _Place(start, implicit), 0
    order = "<" if little_endian else ">"
    while place.position + 8 <= len(data):
        while place.open and place.open[-1][0] is not None and place.position >= place.open[-1][0]:
            place.implicit = place.open.pop()[1]
        group, element = struct.unpack_from(f"{order}HH", data, place.position)
        tag = group << 16 | element
        if not place.open and tag >= FIRST_PIXEL_TAG:
            return place.position
        count += 1
        if count > MOST_ELEMENTS:
            raise StudyRefused("TOO_LARGE", f"more than {MOST_ELEMENTS} elements in a header")
        _step(data, place, tag, order)
        if len(place.open) > 2 * DEEPEST_NESTING:  # each level is a sequence and an item
            raise StudyRefused("TOO_LARGE", f"sequences are nested more than {DEEPEST_NESTING} deep")
    return place.position


def meta_group(data: Bytes, start: int) -> tuple[int, str]:
    """Where the meta group ends, and the transfer syntax that it states, "" where there is none.

    Args:
        data: a file from its beginning; or its head, which is long enough where the end lies within it.
        start: of the meta group; also that of the data set where there is none.
    """
    place, syntax = _Place(start, implicit=False), ""
    while place.position + 8 <= len(data) and data[place.position : place.position + 2] == b"\x02\x00":
        _, length, header = _element(data, place, 0x00020000, "<")
        if data[place.position : place.position + 4] == b"\x02\x00\x10\x00":
            value = data[place.position + header : place.position + header + length]
            syntax = value.decode("latin-1").strip(" \0")
        place.position += header + length
    return place.position, syntax


def data_set_start(data: Bytes, start: int) -> int:
    """Where the meta group ends. Args: as `meta_group`."""
    return meta_group(data, start)[0]


def _step(data: Bytes, place: _Place, tag: int, order: str) -> None:
    """Pass over one element, or into it where it holds others."""
    if tag in (ITEM_END, SEQUENCE_END):
        if place.open:
            place.implicit = place.open.pop()[1]
        place.position += 8
        return
    vr, length, header = _element(data, place, tag, order)
    if tag == ITEM or vr == b"SQ" or length == UNDEFINED:
        end = None if length == UNDEFINED else place.position + header + length
        place.open.append((end, place.implicit))
        place.implicit = place.implicit or vr == b"UN"  # an unknown VR of undefined length is a sequence in implicit VR
        place.position += header
    else:
        place.position += header + length


def _element(data: Bytes, place: _Place, tag: int, order: str) -> tuple[bytes, int, int]:
    """VR (b"SQ" only where others need to be known), length of the value and of what stands before it."""
    vr = bytes(data[place.position + 4 : place.position + 6])
    if tag == ITEM or place.implicit or not (vr.isalpha() and vr.isupper()):
        length = struct.unpack_from(f"{order}I", data, place.position + 4)[0]
        known = tag != ITEM and dictionary_has_tag(tag) and dictionary_VR(tag) == "SQ"
        return b"SQ" if known else b"", length, 8
    if vr not in LONG_VRS:
        return vr, struct.unpack_from(f"{order}H", data, place.position + 6)[0], 8
    if place.position + 12 > len(data):
        return vr, 0, 12
    return vr, struct.unpack_from(f"{order}I", data, place.position + 8)[0], 12
