"""Reason codes: why a study was refused, and what to do about it. Imports nothing of caveat."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """One line of meaning, one line of what to do."""

    meaning: str
    what_to_do: str


REASONS: dict[str, Reason] = {
    "NO_FIELD_OF_VIEW": Reason(
        "no bright round field on a dark surround was found in the picture",
        "give a fundus photograph whose whole field of view is visible",
    ),
}


class StudyRefused(Exception):
    """A study that cannot be measured correctly; the batch goes on.

    Args:
        code: a key of `REASONS`.
        found: what was found, in numbers; never a word from the file.
    """

    def __init__(self, code: str, found: str = "") -> None:
        self.code = code
        self.found = found
        super().__init__(f"{code}: {found or REASONS[code].meaning}")
