"""A path, as options state it."""

from __future__ import annotations

import argparse
import os
import stat
from pathlib import Path


def stated_path(text: str) -> Path:
    """The path, whether something is there or not.

    Raises:
        argparse.ArgumentTypeError: nothing can be there, or be seen there: a name that is too long, links that lead in a
            circle, a folder that may not be entered, a server that does not answer.
    """
    _status(text)
    return Path(text)


def stated_input(text: str) -> Path:
    """The path of what is to be read. Raises: argparse.ArgumentTypeError: also for devices and pipes, which may never answer."""
    status = _status(text)
    if status is not None and not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise argparse.ArgumentTypeError("neither a file nor a folder")
    return Path(text)


def _status(text: str) -> os.stat_result | None:
    if not text:  # a shell's variable that is not set; as a path it would be the current folder
        raise argparse.ArgumentTypeError("an empty path")
    try:
        return os.stat(text)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # whose own text quotes the path
        raise argparse.ArgumentTypeError(getattr(error, "strerror", None) or "no path") from None
