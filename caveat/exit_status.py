"""What the process tells its caller."""

from __future__ import annotations

from enum import IntEnum


class RunFailed(Exception):
    """A run that had begun cannot go on; what is done stands, and its tables are written where that was possible."""


class ExitStatus(IntEnum):
    """Refused studies are results: they do not change the status."""

    OK = 0
    FAILED = 1
    """The run itself failed."""
    USAGE = 2
    """Wrong usage."""
    ALL_REFUSED = 3
    """Every study was refused, where `--strict` asks for it."""
