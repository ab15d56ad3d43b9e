"""The studies of a run, as its run.json lists them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from .run_folder import NAME, run_identity
from .study_folder import folder_name

NO_FACTS = ("schema", "studies", "sealed", "counts")
"""Of run.json: beside what makes equal runs equal."""
MOST_STUDIES = 10**9


@dataclass(frozen=True)
class ListedRun:
    """A run.json, read once: while the run goes on, another look could find another one.

    Args:
        studies: what it says of each, by the name of its folder, which names no other place.
        identity: what each study's files.json says of the run, see `run_identity`.
    """

    studies: Sequence[Mapping[str, Any]]
    identity: str


def listed_run(run: Path) -> ListedRun:
    """What a run's folder says of it. Raises: StudyRefused: WRONG_USAGE for a folder that is no run."""
    try:
        stored = json.loads((run / NAME).read_text(encoding="ascii"))
        facts = {key: value for key, value in stored.items() if key not in NO_FACTS}
        return ListedRun(_studies(stored["studies"]), run_identity(facts))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise StudyRefused("WRONG_USAGE", "this folder is not the output of caveat predict") from None


def _studies(listed: Any) -> list[dict[str, Any]]:
    """Raises: ValueError, KeyError, TypeError: they are not as a run lists them."""
    known = [{**study, "name": folder_name(study["name"])} for study in listed if "number" in study]
    for key in ("number", "name"):
        if len({study[key] for study in known}) < len(known):
            raise ValueError("studies that cannot be told apart")
    if any(type(study["number"]) is not int or not 0 < study["number"] < MOST_STUDIES for study in known):
        raise ValueError("numbers that are none")
    return sorted(known, key=itemgetter("name"))
