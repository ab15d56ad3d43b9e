"""journal.jsonl: the one file with times; what may differ between equal runs stands here alone."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from caveat.reasons import StudyRefused

from ..files.whole_file import unwritable, write_whole

NAME = "journal.jsonl"


@dataclass(frozen=True)
class Journal:
    """Lines are only added. Its being open is also the lock of the run's folder, which a killed process cannot leave behind."""

    file: TextIO
    replaced: list[TextIO] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Raises: StudyRefused: OUTPUT_NOT_WRITABLE; OUTPUT_OF_ANOTHER_RUN where another process has it open."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = open(path, "a", encoding="ascii", opener=_no_link)  # noqa: SIM115 - open as long as the run lasts
        except OSError as error:
            raise unwritable(error) from None
        if not _lock(file) or not _stands(file, path):
            file.close()
            raise StudyRefused("OUTPUT_OF_ANOTHER_RUN", "another process is writing there")
        return cls(file)

    def write(self, line: Mapping[str, Any]) -> None:
        """Add a line with the time. Raises: StudyRefused: OUTPUT_NOT_WRITABLE."""
        text = json.dumps({**line, "at": datetime.now(UTC).isoformat(timespec="seconds")}) + "\n"
        handle = self.file.fileno()
        end = os.fstat(handle).st_size
        try:
            if os.write(handle, text.encode("ascii")) < len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(handle)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(handle, end)  # a half line would spoil the next one
            raise unwritable(error) from None

    def replace(self, text: str) -> None:
        """Put a text in the place of all that stands there, whole or not at all; the folder stays this process's.

        For files that hold one state in place of lines. Raises: StudyRefused: OUTPUT_NOT_WRITABLE.
        """

        def write(aside: Path) -> None:
            file = open(aside, "x", encoding="utf-8")  # noqa: SIM115 - open as long as the lock is held
            self.replaced.append(file)
            file.write(text)
            file.flush()
            _lock(file)

        try:
            write_whole(Path(self.file.name), write)
        except OSError as error:
            raise unwritable(error) from None

    def close(self) -> None:
        """Also gives the folder free."""
        for file in (self.file, *self.replaced):
            with suppress(OSError):  # of a text that a full disk did not take
                file.close()

    def discard(self) -> None:
        """Close it; one in which nothing was ever written goes."""
        path = Path(self.file.name)
        if path.is_file() and path.stat().st_size == 0:
            path.unlink()
        self.close()


def _no_link(path: str, flags: int) -> int:
    """Opens a file that somebody else's link does not lead to another one; a pipe, at which nobody reads, is an error."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o666)


def _stands(file: TextIO, path: Path) -> bool:
    """Whether an open file is still the one of its name: another process may have replaced or removed it before the lock."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except OSError:
        return False


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
