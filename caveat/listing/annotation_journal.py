"""What a server of annotations showed to whom, in its order: what tells whether a label may serve a promise.

A file of lines in the datastore, to which processes of the server only add.
"""

from __future__ import annotations

import errno
import json
import os
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path

from caveat.reasons import StudyRefused

from ..transforms.files.add_line import add_line
from ..transforms.files.folder_lock import folder_locked

NAME = "caveat_journal.jsonl"
SERVED, SHOWN, SAVED = "served", "shown", "saved"
"""An image was given to be annotated; a mask of ours of it went out; a label of it came in."""


@dataclass(frozen=True)
class Event:
    """Args: event: what happened. image: identifier in the datastore, "" where it came from elsewhere. by: strategy or model.
    sha256: of the image that was measured."""

    event: str
    image: str
    by: str = ""
    sha256: str = ""


def note(folder: Path, event: Event) -> None:
    """Add a line, at once: a label must not be taken for one that was drawn without sight of a mask. Raises: OSError."""
    line = json.dumps(asdict(event)) + "\n"
    handle = os.open(folder / NAME, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    with folder_locked(folder), FileIO(handle, "r+") as file:
        if not add_line(file, line.encode("ascii")):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(handle)


def read_journal(folder: Path) -> list[Event]:
    """All lines; none where there is no such file. Raises: StudyRefused: WRONG_USAGE where it was tampered with."""
    try:
        text = (folder / NAME).read_text(encoding="ascii")
        return [Event(**json.loads(line)) for line in text.splitlines()]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError):
        raise StudyRefused("WRONG_USAGE", f"{NAME} cannot be read") from None
