"""One upload and what becomes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class State(StrEnum):
    """Of a job, in this order."""

    UPLOADING = "uploading"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    """Its studies were measured or refused, each with its result."""
    FAILED = "failed"
    """There is no study with a result."""


@dataclass
class Job:
    """An upload.

    Args:
        id: 24 random letters; who knows it may see the result. folder: of this job alone. bundle: that measures it.
        options: of `caveat predict`, beside.

    Attributes:
        since: of the state, and seen: when a page listened or sent last, both of the monotonic clock.
        number: in the line. receiving: files that are not whole yet. progress: studies that are done, such as "3 of 12".
        studies: as of `found_studies`. reason: why there is no result, or not of all, as an entry of `reasons`.
        files: that may be fetched, by the study's number and their name.
    """

    id: str
    folder: Path
    bundle: str
    options: Sequence[str] = ()
    state: State = State.UPLOADING
    since: float = field(default_factory=time.monotonic)
    seen: float = field(default_factory=time.monotonic)
    number: int = 0
    progress: str = ""
    uploaded_files: int = 0
    uploaded_bytes: int = 0
    receiving: int = 0
    studies: Sequence[Mapping[str, Any]] = ()
    reason: Mapping[str, str] | None = None
    files: Mapping[tuple[int, str], Path] = field(default_factory=dict)
    process: asyncio.Task | None = None

    @property
    def uploads(self) -> Path:
        """Folder of what came in."""
        return self.folder / "in"

    @property
    def results(self) -> Path:
        """Folder of the run."""
        return self.folder / "out"

    def becomes(self, state: State) -> None:
        """Enter a state."""
        self.state, self.since = state, time.monotonic()
