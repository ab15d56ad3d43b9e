"""What the process tells its caller."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """Refused studies are results: they do not change the status."""

    OK = 0
    FAILED = 1
    """The run itself failed."""
    USAGE = 2
    """Wrong usage."""
