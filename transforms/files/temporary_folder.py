"""A folder for what this process unpacks: nobody else enters it, and it does not outlive the process for long."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import stat
import tempfile
from functools import cache
from pathlib import Path

from caveat.reasons import StudyRefused

try:
    import fcntl
except ImportError:  # a system without such locks: what a killed process left stays there
    fcntl = None  # type: ignore[assignment]

PREFIX = "caveat-"
LOCK = "of-a-running-caveat"
"""In each such folder. Its owner holds it locked, which a killed one does not: what that left is removed by the next process."""


@cache
def temporary_folder() -> Path:
    """The folder of this process, made when it is first asked for and removed at its end; for folders alone.

    Raises:
        StudyRefused: OUTPUT_NOT_WRITABLE.
    """
    try:
        _remove_left()
        folder = None
        while folder is None:
            folder = _made()
    except OSError as error:
        raise refusal_of_temporary(error) from None
    atexit.register(_remove, folder)
    return folder


def refusal_of_temporary(error: OSError) -> StudyRefused:
    """Why nothing can be unpacked, without the error's text, which holds a path."""
    return StudyRefused(
        "OUTPUT_NOT_WRITABLE", f"the temporary folder, which TMPDIR names: {error.strerror or type(error).__name__}"
    )


def _where() -> str:
    """The folder that TMPDIR names, if it is there or not: where it is not, or is full, the library would take another one, which
    the user did not mean for images of patients; the current folder in the end."""
    return os.path.abspath(os.environ.get("TMPDIR") or tempfile.gettempdir())


def _made() -> Path | None:
    """A new folder, locked; None where another process has just taken it for one that was left."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_where()))
    try:
        _lock(folder / LOCK, os.O_CREAT | os.O_EXCL)
    except (FileNotFoundError, BlockingIOError):
        return None
    except OSError:
        return folder  # a file system without locks: nobody can take it
    return folder


def _remove_left() -> None:
    """Remove the folders of this user's processes that were killed."""
    for folder in Path(_where()).glob(f"{PREFIX}*") if fcntl else ():
        try:
            found = folder.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid():
                handle = _lock(folder / LOCK)
                _remove(folder)
                os.close(handle)
        except OSError:  # it is in use, none of ours, or gone by now
            continue


def _lock(path: Path, flags: int = 0) -> int:
    """The file, this process's alone until it is closed. Raises: OSError; BlockingIOError where another process has it."""
    handle = os.open(path, os.O_RDWR | flags, 0o600)
    try:
        if fcntl:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def _remove(folder: Path) -> None:
    """The lock last: where this is killed too, what is left is found again."""
    with contextlib.suppress(OSError):  # somebody else has removed it
        for inside in folder.iterdir():
            if inside.name != LOCK:
                shutil.rmtree(inside, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
