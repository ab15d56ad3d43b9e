"""A line behind the others of a file, or none."""

from __future__ import annotations

import os
from io import FileIO


def add_line(file: FileIO, line: bytes) -> bool:
    """Add a line that is there whole or not at all: a part of it would be another one, or spoil the file.

    Args:
        file: opened to read and to append, of this process alone meanwhile. line: with the break at its end.

    Returns:
        whether there was room.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 1))
    line = b"\n" * (file.read(1) not in (b"", b"\n")) + line
    try:
        whole = file.write(line) == len(line)
    except OSError:
        whole = False
    if not whole:
        file.truncate(end)
    return whole
