"""What became of a study, as it goes from a worker to the run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

UNSETTLED = frozenset(
    {
        *("STUDY_TOO_LONG", "STUDY_TOO_LARGE", "WORKER_DIED", "UNEXPECTED_ERROR"),
        *("UNREADABLE_FILE", "UNREADABLE_FOLDER", "INPUT_CHANGED"),
    }
)
"""Codes that say something of the machine or the hour rather than of the study: a resumed run tries again."""


@dataclass(frozen=True)
class Outcome:
    """Args: status, reasons: as in its result.json. seconds: it took. reused: it stood there already, of this run. why: the first
    reason in words. edited: it had stood there already, but files of it were gone: it was done again."""

    number: int
    status: str
    reasons: tuple[str, ...] = ()
    seconds: float = 0.0
    reused: bool = False
    why: str = ""
    edited: bool = False

    def line(self) -> dict[str, Any]:
        """Of the journal."""
        return {"study": self.number, **{key: value for key, value in asdict(self).items() if key not in ("number", "why")}}
