"""Names of result folders: safe in a file system, a page and a table, and unique."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePath

LONGEST_NAME = 80
TAKEN_BY_THE_RUN = ("run.json", "index.html", "summary.csv", "journal.jsonl", "key.csv", "notes.csv", "records")
"""What stands beside the studies' folders."""
ANONYMOUS = "study-"
"""Before the number of a study that is named by nothing else."""
ENDINGS = re.compile(r"\.gz$", re.IGNORECASE)
OTHER_LETTERS = re.compile(r"[^A-Za-z0-9._-]+")


class StudyNames:
    """Gives each study of a run a name of its own.

    Upper and lower case count as equal: some file systems do not tell them apart.
    """

    def __init__(self) -> None:
        self.taken = set(TAKEN_BY_THE_RUN)

    def of(self, path: PurePath) -> str:
        """A file's name without its extension, of letters, digits, ".", "_" and "-"; -2, -3 behind it where it is taken.

        Args:
            path: of the file.
        """
        safe = safe_name(stem_of(path))
        name, count = safe, 1
        while name.lower() in self.taken:
            count += 1
            name = f"{safe[: LONGEST_NAME - len(str(count)) - 1]}-{count}"
        self.taken.add(name.lower())
        return name


def stem_of(path: PurePath) -> str:
    """A file's name without its extension."""
    return PurePath(ENDINGS.sub("", path.name)).stem


def without_accents(text: str) -> str:
    """Letters alone, of umlauts too."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def safe_name(stem: str) -> str:
    """A name as a folder may have it; two names may come to the same one."""
    # Not at the start: a hidden folder, or an option of some program. Not at the end: Windows drops a dot.
    return OTHER_LETTERS.sub("_", without_accents(stem)).lstrip(".-").rstrip(".")[:LONGEST_NAME] or "study"


def anonymous_name(number: int) -> str:
    """A name that says nothing of the file. Args: number: of the study, from 1."""
    return f"{ANONYMOUS}{number:04d}"
