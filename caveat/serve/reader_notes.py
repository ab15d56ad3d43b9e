"""notes.csv: what whoever looked at the studies of a run wrote down; no part of any result."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from ..transforms.files.csv_cells import STARTS_A_FORMULA, write_csv
from ..transforms.files.folder_lock import folder_locked
from ..transforms.files.whole_file import write_whole

NAME = "notes.csv"
COLUMNS = ("study", "looked_at", "note")
LONGEST_NOTE = 4000


@dataclass(frozen=True)
class Note:
    """On one study."""

    looked_at: bool = False
    text: str = ""


@dataclass(frozen=True)
class ReaderNotes:
    """The notes on a run, beside its results. Args: path: of the file."""

    path: Path

    def read(self) -> dict[str, Note]:
        """By the name of the study's folder; none where there is no file.

        Raises:
            OSError, ValueError: it cannot be read, or is somebody else's.
        """
        if not self.path.exists():
            return {}
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.reader(file)
            try:
                if tuple(next(table, ())) != COLUMNS:
                    raise ValueError("a file of other columns")
                return {name: Note(looked_at == "yes", _as_written(text)) for name, looked_at, text in table}
            except csv.Error as error:
                raise ValueError("no table of ours") from error

    def write(self, study: str, note: Note) -> None:
        """Put a note in the place of the one before, the others as they stand in the file now. Raises: as `read`."""
        with folder_locked(self.path.parent):  # a second `caveat view` of the same run
            notes = {**self.read(), study: note}
            stated = [(name, one) for name, one in sorted(notes.items()) if one != Note()]
            rows = [(name, "yes" if one.looked_at else "", _as_cell(one.text)) for name, one in stated]
            write_whole(self.path, lambda aside: write_csv(aside, COLUMNS, rows))


def _as_cell(text: str) -> str:
    """A reader's own mark gets another one, so that it is not taken for the table's."""
    return f"'{text}" if _is_marked(text) else text


def _as_written(cell: str) -> str:
    """Without the mark that keeps a spreadsheet program from running it."""
    return cell[1:] if _is_marked(cell) else cell


def _is_marked(text: str) -> bool:
    return text.startswith("'") and text.lstrip("'").startswith(STARTS_A_FORMULA)
