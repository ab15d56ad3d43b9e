"""The folder of what a stress run writes: it is of one making, of one process at a time, and nothing else lies in it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from ...transforms.output.journal import Journal

MADE_FROM = "made_from.json"
"""What a folder is made from, written before anything else; and what of it was refused, once it is whole."""


@dataclass(frozen=True)
class Taken:
    """A folder that this process holds. Args: file: the note. made_from: see `taken`. refused: None until it is whole."""

    file: Journal
    made_from: Mapping[str, Any]
    refused: list[dict[str, str]] | None = None

    def note(self, refused: list[dict[str, str]] | None = None) -> None:
        """Write what the folder is made from. Args: refused: what could not be made; None while the folder is not whole."""
        whole = {} if refused is None else {"refused": refused}
        self.file.replace(json.dumps({"made_from": self.made_from, **whole}, indent=1) + "\n")


@contextmanager
def taken(folder: Path, made_from: Mapping[str, Any], beside: Collection[str] = ()) -> Iterator[Taken]:
    """Hold a folder that is empty, or was made from the same by an earlier run.

    Args:
        folder: made if it is not there. beside: names of what may lie in it before.

    Raises:
        StudyRefused: OUTPUT_OCCUPIED where anything else lies there, such as the images themselves; OUTPUT_OF_ANOTHER_RUN where
            it was made from something else, or another process holds it; OUTPUT_NOT_WRITABLE.
    """
    note = Journal.open(folder / MADE_FROM)
    try:
        stored = _stored(folder / MADE_FROM)
        if stored is None and (others := {*os.listdir(folder)} - {MADE_FROM, *beside}):
            raise StudyRefused("OUTPUT_OCCUPIED", f"{len(others)} files or folders that this command did not write")
        if any(path.is_symlink() for path in folder.rglob("*")):
            raise StudyRefused("OUTPUT_OCCUPIED", "links, which lead to what this command did not write")
        if stored is not None and stored.get("made_from") != made_from:
            raise StudyRefused("OUTPUT_OF_ANOTHER_RUN", "what lies there was made from other images, or in another way")
        held = Taken(note, made_from, (stored or {}).get("refused"))
        if stored is None:
            held.note()
        yield held
    finally:
        note.discard()


def _stored(path: Path) -> dict[str, Any] | None:
    """The note of an earlier run; None where there is none yet, empty where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
        stored = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return {}
    return stored if stored is None or isinstance(stored, dict) else {}


def sha256_of(facts: Any) -> str:
    """Of what JSON can hold."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
