"""The studies of a run, as its run.json lists them."""

from __future__ import annotations

import json
from operator import itemgetter
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from .run_folder import NAME, run_identity
from .study_folder import folder_name

NO_FACTS = ("schema", "studies", "sealed", "counts")
"""Of run.json: beside what makes equal runs equal."""


def listed_studies(run: Path) -> list[dict[str, Any]]:
    """What run.json says of each study, by the name of its folder, which names no other place.

    Raises:
        StudyRefused: WRONG_USAGE for a folder that is no run.
    """
    try:
        listed = json.loads((run / NAME).read_text(encoding="ascii"))["studies"]
        known = [{**study, "name": folder_name(study["name"])} for study in listed if "number" in study]
        for key in ("number", "name"):
            if len({study[key] for study in known}) < len(known):
                raise ValueError("studies that cannot be told apart")
        if any(type(study["number"]) is not int for study in known):
            raise ValueError("numbers that are none")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise StudyRefused("WRONG_USAGE", "this folder is not the output of caveat predict") from None
    return sorted(known, key=itemgetter("name"))


def identity_of(run: Path) -> str:
    """What each study's files.json says of the run: see `run_identity`. Raises: as `listed_studies`."""
    try:
        stored = json.loads((run / NAME).read_text(encoding="ascii"))
        return run_identity({key: value for key, value in stored.items() if key not in NO_FACTS})
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        raise StudyRefused("WRONG_USAGE", "this folder is not the output of caveat predict") from None
