"""OUT, the folder of one run: run.json says which, and nothing that stood there before is replaced."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from ..files.whole_file import unwritable, write_whole
from ..study.studies import Studies
from .journal import NAME as JOURNAL
from .journal import Journal
from .key_file import NAME as KEY
from .key_file import key_bytes, write_key
from .outcome import Outcome
from .run_index import write_run_index
from .study_seal import NAME as SEAL
from .study_seal import StudySeal, file_sha256

NAME = "run.json"
SCHEMA = "caveat-run-1"
LISTED = ("number", "name", "sha256", "spacing_mm")
"""Of a study, from the start; the last two where a data list states them: with another spacing it is another run."""
OF_THE_RUN = (NAME, KEY, JOURNAL, "summary.csv", "index.html", "notes.csv")
"""The last is written by `caveat view`: notes on another run would stand beside studies of the same names."""
LEFT = re.compile(rf"\.([0-9a-f]{{16}}|({'|'.join(map(re.escape, OF_THE_RUN))})\.\d+)\.partial")
"""Studies and tables that are being written, see `WriteStudyd` and `write_whole`."""
BEFORE_THE_RUN = re.compile(rf"\.{re.escape(NAME)}\.\d+\.partial")
"""What alone a run can leave that was killed before its folder held a run.json."""


def refuse_occupied(path: Path, studies: Iterable[Mapping[str, Any]], resume: bool) -> None:
    """Refuse a folder in which something stands in the way; what else lies there is nobody's business.

    Args:
        path: of the run. studies: to be written there.
        resume: go on with the run that the folder holds, if it holds one.

    Raises:
        StudyRefused: OUTPUT_OF_ANOTHER_RUN, OUTPUT_OCCUPIED, OUTPUT_NOT_WRITABLE.
    """
    try:
        there = {name.casefold() for name in os.listdir(path)} if os.path.lexists(path) else set()
        begun = (path / JOURNAL).is_file() and (path / JOURNAL).stat().st_size > 0
    except OSError as error:
        raise unwritable(error) from None
    if NAME in there:
        if not resume or not os.path.isfile(path / NAME):
            raise StudyRefused("OUTPUT_OF_ANOTHER_RUN", "it holds a run.json")
        return
    taken = {*OF_THE_RUN, *(str(study["name"]).casefold() for study in studies)} & there
    # A run that was killed before its first word leaves an empty journal.
    count = len(taken) - (JOURNAL in taken and not begun)
    if count:
        raise StudyRefused("OUTPUT_OCCUPIED", f"{count} files or folders stand where results would be written")


def run_identity(facts: Mapping[str, Any]) -> str:
    """sha256 of what makes equal runs equal."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode("ascii")).hexdigest()


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run that has begun. One process holds it at a time; workers only write studies into it.

    Args:
        path: of the folder. facts: versions, bundle, settings; no path.
        studies: entries of `find_studies`, by the names that the run has given them.
        journal: open and locked.
        outcomes: by the study's number, filled by `note`.
    """

    path: Path
    facts: Mapping[str, Any]
    studies: Studies
    journal: Journal
    outcomes: dict[int, Outcome]

    @classmethod
    def begin(cls, path: Path, facts: Mapping[str, Any], studies: Sequence[dict[str, Any]], resume: bool = False) -> RunFolder:
        """Take the folder for this run: write run.json and key.csv.

        Args:
            resume: go on with the same run where the folder holds it.

        Raises:
            StudyRefused: as `refuse_occupied`; OUTPUT_OF_ANOTHER_RUN also where another process writes there, or where facts or
                studies are not those of the run that is to be resumed.
        """
        refuse_occupied(path, studies, resume)
        journal = Journal.open(path / JOURNAL)
        try:
            refuse_occupied(path, studies, resume)  # whoever was faster has written by now
            folder = cls(path, facts, Studies(_as_named_there(path, studies)), journal, {})
            if (path / NAME).is_file():
                folder._refuse_another_run()
                folder._sweep(LEFT)
            else:
                folder._sweep(BEFORE_THE_RUN)
            folder._write_manifest({})  # not sealed while anything may change
            write_key(path, folder.studies)
        except BaseException:
            journal.discard()
            raise
        return folder

    def note(self, outcome: Outcome) -> None:
        """What became of a study, into the journal."""
        self.outcomes[outcome.number] = outcome
        self.journal.write(outcome.line())

    def finish(self) -> dict[str, int]:
        """Write summary.csv and index.html of the studies that are done; where this process has seen to all, seal run.json.

        Returns:
            how many studies were "measured", "nothing_found", "refused".

        Raises:
            StudyRefused: OUTPUT_NOT_WRITABLE.
        """
        try:
            counts = write_run_index(self.path, [study["name"] for study in self.studies if self._is_done(study)])
            if len(self.outcomes) == len(self.studies):
                self._write_manifest({"sealed": True, "counts": counts})
        except OSError as error:
            raise unwritable(error) from None
        finally:
            self.journal.close()
        return counts

    def _is_done(self, study: Mapping[str, Any]) -> bool:
        """Also by an earlier process of this run, where this one ended before it came to the study."""
        seal = StudySeal.read(self.path / study["name"])
        return study["number"] in self.outcomes or seal is not None and seal.run == run_identity(self.facts)

    def _write_manifest(self, end: Mapping[str, Any]) -> None:
        entries = list(self._sealed_studies() if end else self._listed_studies())
        text = json.dumps({"schema": SCHEMA, **self.facts, "studies": entries, **end}, indent=1, ensure_ascii=True)
        try:
            write_whole(self.path / NAME, lambda aside: aside.write_text(text + "\n", encoding="ascii"))
        except OSError as error:
            raise unwritable(error) from None

    def _listed_studies(self) -> Iterator[dict[str, Any]]:
        for study in self.studies:
            yield {key: study[key] for key in LISTED if key in study}

    def _sealed_studies(self) -> Iterator[dict[str, Any]]:
        """With status, the sha256 of the input, and of the file that names the sha256 of every output."""
        for known in self._listed_studies():
            folder = self.path / known["name"]
            seal = StudySeal.read(folder)
            status = self.outcomes[known["number"]].status
            yield {**known, "status": status, "input": seal.input if seal else "", "files": file_sha256(folder / SEAL)}

    def _sweep(self, names: re.Pattern[str]) -> None:
        """Delete what a killed process of this run left half. Args: names: of such files and folders."""
        for left in self.path.iterdir():
            if names.fullmatch(left.name):
                shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)

    def _refuse_another_run(self) -> None:
        """Raises: StudyRefused: OUTPUT_OF_ANOTHER_RUN."""
        try:
            stored = json.loads((self.path / NAME).read_text(encoding="ascii"))
            listed = [{key: value for key, value in study.items() if key in LISTED} for study in stored["studies"]]
            key = (self.path / KEY).read_bytes() if (self.path / KEY).is_file() else key_bytes(self.studies)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise StudyRefused("OUTPUT_OF_ANOTHER_RUN", "its run.json cannot be read") from None
        other = [name for name, value in _leaves(self.facts) if dict(_leaves(stored)).get(name) != value]
        if other:
            raise StudyRefused("OUTPUT_OF_ANOTHER_RUN", f"other {', '.join(other)}")
        if listed != list(self._listed_studies()) or key != key_bytes(self.studies):
            raise StudyRefused("OUTPUT_OF_ANOTHER_RUN", f"other studies: {len(listed)} there, {len(self.studies)} here")


def _as_named_there(path: Path, studies: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """By the names that a run gave to the same numbers and places: a file that was still being copied when it began was none that
    a reader knew, so it was named by its number. Where anything else differs, as they are."""
    try:
        stored = json.loads((path / NAME).read_text(encoding="ascii"))["studies"]
        names = {study["number"]: str(study["name"]) for study in stored}
        there = [{**study, "name": names[study["number"]]} for study in studies]
        return there if (path / KEY).read_bytes() == key_bytes(there) else studies
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return studies


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Everything at the ends of nested mappings, by dotted names."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, value
