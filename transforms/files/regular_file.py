"""Text out of a regular file: a pipe that lies where a config should be would never answer."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def text_of(path: Path, encoding: str = "utf-8", errors: str | None = None) -> str:
    """Raises: OSError: also where it is no regular file. UnicodeDecodeError."""
    if not os.path.isfile(path):
        raise OSError(errno.EINVAL, "no regular file")
    return path.read_text(encoding=encoding, errors=errors)
