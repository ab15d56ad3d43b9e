"""The studies of a run, as its run.json lists them."""

from __future__ import annotations

import json
from operator import itemgetter
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from .run_folder import NAME
from .study_folder import folder_name


def listed_studies(run: Path) -> list[dict[str, Any]]:
    """What run.json says of each study, by the name of its folder, which names no other place.

    Raises:
        StudyRefused: WRONG_USAGE for a folder that is no run.
    """
    try:
        listed = json.loads((run / NAME).read_text(encoding="ascii"))["studies"]
        known = [{**study, "name": folder_name(study["name"])} for study in listed if "number" in study]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise StudyRefused("WRONG_USAGE", "this folder is not the output of caveat predict") from None
    return sorted(known, key=itemgetter("name"))
