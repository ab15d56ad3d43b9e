"""The blocks of a GIF file, up to the mark that ends its picture."""

from __future__ import annotations

SCREEN_BYTES, IMAGE_BYTES = 13, 10
EXTENSION, IMAGE, END = 0x21, 0x2C, 0x3B


def end_of_gif(data: bytes) -> int:
    """Bytes up to the end of the picture: all of them where its blocks do not lead there, and decoders say why.

    Args:
        data: the whole file.

    Source: GIF89a specification, sections 15 to 27.
    """
    try:
        position = SCREEN_BYTES + _table_bytes(data[10])
        while data[position] in (EXTENSION, IMAGE):
            position += 2 if data[position] == EXTENSION else IMAGE_BYTES + _table_bytes(data[position + 9]) + 1  # a code's size
            while data[position]:
                position += 1 + data[position]
            position += 1
        return position + 1 if data[position] == END else len(data)
    except IndexError:
        return len(data)


def _table_bytes(flags: int) -> int:
    """Of a colour table, as the flags in front of it declare it."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
