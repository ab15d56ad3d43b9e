"""Reason codes: why a study was refused or flagged, and what to do about it. Imports nothing of caveat."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Reason:
    """One line of meaning, one line of what to do."""

    meaning: str
    what_to_do: str


def _read() -> dict[str, Reason]:
    """The table, in the order of its file."""
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    return {code: Reason(**lines) for code, lines in tomllib.loads(text).items()}


REASONS = _read()


class StudyRefused(Exception):
    """A study that cannot be measured correctly; the batch goes on.

    Args:
        code: a key of `REASONS`.
        found: what was found, in numbers; never a word from the file.

    Raises:
        ValueError: the code is not in the table.
    """

    def __init__(self, code: str, found: str = "") -> None:
        if code not in REASONS:
            raise ValueError(f"{code!r} is no reason code")
        self.code = code
        self.found = found
        super().__init__(f"{code}: {found or REASONS[code].meaning}")

    def __reduce__(self) -> tuple[type[StudyRefused], tuple[str, str]]:
        """Pickled by its arguments, so that it crosses processes unchanged."""
        return type(self), (self.code, self.found)
