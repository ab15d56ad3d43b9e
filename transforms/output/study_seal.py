"""files.json: what stands in a study's folder, and of which run and input it is. Written last, so a folder with it is whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from caveat.reasons import StudyRefused

from ..files.one_line import one_line
from ..files.stored_result import SEAL
from ..files.whole_file import unwritable

NAME = SEAL
SCHEMA = "caveat-files-1"


@dataclass(frozen=True)
class StudySeal:
    """What a folder says of itself.

    Args:
        run: identity of the run's facts, see `run_identity`.
        number: of the study in its run.
        input: sha256 of the study's files, see `input_sha256`.
        files: name to sha256 of every other file in the folder.
    """

    run: str
    number: int
    input: str
    files: Mapping[str, str]

    @classmethod
    def of(cls, folder: Path, run: str, number: int, input: str) -> StudySeal:
        """Of a folder as it is now, a seal of its own aside."""
        files = {path.name: file_sha256(path) for path in sorted(folder.iterdir()) if path.name != NAME}
        return cls(run, number, input, files)

    @classmethod
    def read(cls, folder: Path) -> StudySeal | None:
        """As it stands in a folder; None where there is none of ours."""
        if not os.path.isfile(folder / NAME):  # a pipe would never answer
            return None
        try:
            stored = json.loads((folder / NAME).read_text(encoding="ascii"))
            if stored.pop("schema") != SCHEMA or any(Path(name).name != name for name in stored["files"]):
                return None
            if not isinstance(stored["files"], dict) or any(one_line(name) != name for name in stored["files"]):
                return None
            return cls(**stored)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def write(self, folder: Path) -> None:
        """Write it into the folder."""
        text = json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1, ensure_ascii=True)
        (folder / NAME).write_text(text + "\n", encoding="ascii")

    def holds(self, folder: Path) -> bool:
        """Whether every file is there as it was written. What somebody put beside them does not matter."""
        try:
            return all(file_sha256(folder / name) == sha256 for name, sha256 in self.files.items())
        except OSError:
            return False

    def is_changed(self, folder: Path) -> bool:
        """Whether a file that is there is another than was written; what somebody deleted for want of room changes no number."""
        there = [name for name in self.files if os.path.lexists(folder / name)]
        try:
            return any(not os.path.isfile(folder / name) or file_sha256(folder / name) != self.files[name] for name in there)
        except OSError:
            return True

    def remove(self, folder: Path) -> None:
        """Delete the files that the seal names, itself last, and the folder.

        Raises:
            StudyRefused: OUTPUT_OCCUPIED where somebody else's files lie there, also under the name of ours, such as a mask that
                was drawn over; nothing is deleted then. OUTPUT_NOT_WRITABLE.
        """
        if {path.name for path in folder.iterdir()} - {*self.files, NAME} or self.is_changed(folder):
            raise StudyRefused("OUTPUT_OCCUPIED", f"files in the folder of study {self.number} are not as this run wrote them")
        try:
            for name in (*self.files, NAME):
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()
        except OSError as error:
            raise unwritable(error) from None


def file_sha256(path: Path) -> str:
    """Of a file's bytes. Raises: OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
