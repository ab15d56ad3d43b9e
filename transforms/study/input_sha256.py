"""The bytes that a study was measured from, as one number: read even where the study is refused."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Sequence
from pathlib import Path

from .inspect_study import Source
from .search import is_of_the_system


def input_sha256(source: Source) -> str:
    """sha256 of all files of a study, in their order; what is no regular file or cannot be read counts as unreadable.

    Args:
        source: path or paths of the study.
    """
    paths: Sequence[str | Path] = [source] if isinstance(source, str | Path) else source
    return hashlib.sha256(" ".join(_of_file(Path(path)) for path in paths).encode("ascii")).hexdigest()


def _of_file(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode) or is_of_the_system(path):  # devices and FIFOs may never answer
            return "unreadable"
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):  # the second for a name with a zero byte
        return "unreadable"
