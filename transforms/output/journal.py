"""journal.jsonl: the one file with times; what may differ between equal runs stands here alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from caveat.reasons import StudyRefused

from ..files.whole_file import unwritable

NAME = "journal.jsonl"


@dataclass(frozen=True)
class Journal:
    """Lines are only added. Its being open is also the lock of the run's folder, which a killed process cannot leave behind."""

    file: TextIO

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Raises: StudyRefused: OUTPUT_NOT_WRITABLE; OUTPUT_OF_ANOTHER_RUN where another process has it open."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = open(path, "a", encoding="ascii", opener=_no_link)  # noqa: SIM115 - open as long as the run lasts
        except OSError as error:
            raise unwritable(error) from None
        if not _lock(file):
            file.close()
            raise StudyRefused("OUTPUT_OF_ANOTHER_RUN", "another process is writing there")
        return cls(file)

    def write(self, line: Mapping[str, Any]) -> None:
        """Add a line with the time. Raises: StudyRefused: OUTPUT_NOT_WRITABLE."""
        try:
            self.file.write(json.dumps({**line, "at": datetime.now(UTC).isoformat(timespec="seconds")}) + "\n")
            self.file.flush()
            os.fsync(self.file.fileno())
        except OSError as error:
            raise unwritable(error) from None

    def close(self) -> None:
        """Also gives the folder free."""
        self.file.close()

    def discard(self) -> None:
        """Close it; one in which nothing was ever written goes."""
        path = Path(self.file.name)
        if path.is_file() and path.stat().st_size == 0:
            path.unlink()
        self.close()


def _no_link(path: str, flags: int) -> int:
    """Opens a file that somebody else's link does not lead to another one; a pipe, at which nobody reads, is an error."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o666)


def _lock(file: TextIO) -> bool:
    """Whether the file is this process's alone from now on; on a system or a file system without locks it is taken to be."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
