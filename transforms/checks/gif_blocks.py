"""The blocks of a GIF file, up to the mark that ends its picture."""

from __future__ import annotations

from caveat.reasons import StudyRefused

SCREEN_BYTES, IMAGE_BYTES = 13, 10
EXTENSION, IMAGE, END = 0x21, 0x2C, b"\x3b"


def end_of_gif(data: bytes) -> int:
    """Bytes up to the end of the picture, whose mark may be missing; all of them where its blocks do not lead there.

    Args:
        data: the whole file.

    Raises:
        StudyRefused: TRUNCATED.

    Source: GIF89a specification, sections 15 to 27.
    """
    is_there = False
    try:
        position = SCREEN_BYTES + _table_bytes(data[10])
        while position < len(data) and data[position] in (EXTENSION, IMAGE):
            is_there = is_there or data[position] == IMAGE
            position += 2 if data[position] == EXTENSION else IMAGE_BYTES + _table_bytes(data[position + 9]) + 1  # a code's size
            while data[position]:
                position += 1 + data[position]
            position += 1
    except IndexError:
        raise StudyRefused("TRUNCATED", "the file ends within a block") from None
    if position >= len(data) and not is_there:
        raise StudyRefused("TRUNCATED", "the file ends before its picture")
    return position + 1 if data[position : position + 1] == END else len(data)


def _table_bytes(flags: int) -> int:
    """Of a colour table, as the flags in front of it declare it."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
