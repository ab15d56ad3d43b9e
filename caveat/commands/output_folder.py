"""The folder that a command writes to."""

from __future__ import annotations

from pathlib import Path

from ..reasons import StudyRefused


def make_folder(output: Path) -> None:
    """Make the folder if it is not there. Raises: StudyRefused: OUTPUT_NOT_WRITABLE."""
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyRefused("OUTPUT_NOT_WRITABLE") from error
