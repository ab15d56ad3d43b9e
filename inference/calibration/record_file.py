"""Records as files: sealed by a checksum, found by their schema, and never two that are valid for the same."""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from caveat.reasons import StudyRefused

from ...transforms.files.whole_file import write_text
from .identity import differences


class Sealed(ABC):
    """What is kept as such a file. Attributes: schema: of the file."""

    schema: ClassVar[str]

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """All that it is made of, in the order in which it is written."""

    def to_json(self) -> dict[str, Any]:
        """As JSON: schema first, its checksum last."""
        return seal({"schema": self.schema, **self.facts()})

    @property
    def checksum(self) -> str:
        """sha256 of its facts: its name in a result."""
        return str(self.to_json()["checksum"])


def seal(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as they will be read back (tuples as lists), with their checksum last."""
    plain = json.loads(json.dumps(facts, allow_nan=False))
    return plain | {"checksum": checksum_of(plain)}


def unseal(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The facts without their checksum. Raises: StudyRefused: RECORD_EDITED."""
    facts = {key: value for key, value in stored.items() if key != "checksum"}
    try:
        same = stored.get("checksum") == checksum_of(facts)
    except ValueError:  # NaN, which no record holds
        same = False
    if not same:
        raise StudyRefused("RECORD_EDITED", "its checksum is not that of its contents")
    return facts


def checksum_of(facts: Mapping[str, Any]) -> str:
    """sha256 of JSON written in one way only: sorted keys, no blanks, numbers by their shortest form."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()).hexdigest()


def file_name_of(identity: Mapping[str, Any], what: str) -> str:
    """Sampler, number of draws, what is kept and of which preparation: files of several networks lie in one folder."""
    words = f"{identity.get('sampler', '')} {identity.get('draws', '')} draws {what} {identity.get('preparation', '')}".lower()
    return "_".join(re.findall(r"[a-z0-9]+", words)) + ".json"


def write_record(record: Sealed, path: Path) -> None:
    """One record as a file of JSON."""
    write_text(path, json.dumps(record.to_json(), indent=1, allow_nan=False) + "\n")


def read_sealed(place: Path, *schemas: str) -> list[dict[str, Any]]:
    """What a file, or the files of a folder, hold of some schemas; files of other schemas are left aside.

    Returns:
        sealed facts, by the files' names; none where nothing is there.

    Raises:
        StudyRefused: RECORD_EDITED for what is no file, or no JSON at all.
    """
    files = [place] if place.is_file() else sorted(place.glob("*.json"))
    return [stored for file in files if (stored := _read(file)) and stored.get("schema") in schemas]


def refuse_ambiguous(valid_for: Sequence[tuple[Any, Mapping[str, Any]]]) -> None:
    """Refuse records of which a file's name would choose. Args: valid_for: what each is of, and its identity.

    Raises:
        StudyRefused: RECORD_AMBIGUOUS.
    """
    shared = sum(
        any(what == other and not differences(identity, its) for other, its in (*valid_for[:index], *valid_for[index + 1 :]))
        for index, (what, identity) in enumerate(valid_for)
    )
    if shared:
        found = f"{shared} of {len(valid_for)} records are valid for what another one is valid for"
        raise StudyRefused("RECORD_AMBIGUOUS", found)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        if not path.is_file():  # a pipe would never answer
            raise StudyRefused("RECORD_EDITED", "something in the records' folder is named like a file of JSON, and is none")
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise StudyRefused("RECORD_EDITED", "a file of the records' folder is no JSON") from None
    return stored if isinstance(stored, dict) else None
