"""result.json read back, without torch."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .older_keys import answers_of_older

NAME = "result.json"
SCHEMA = "caveat-result-1"
SEAL = "files.json"
"""Beside it: what the program wrote into the folder."""
WRITTEN = re.compile(
    r"(result|files)\.json|report\.html|picture-\d+\.dcm|(lesions|objects|points)\.csv"
    r"|(preview|thumbnail|image|segmentation|region|objects|samples|hypotheses|measurements"
    r"|(lowest_)?probability|(expected_)?entropy|mutual_information|variance|evidence(_sd|_share)?)\.(nii\.gz|png|tif|dcm)"
)
"""Every name that a writer gives a file."""
EMPTY_RESULT: Mapping[str, Any] = {
    "schema": SCHEMA,
    "status": "OK",
    "reasons": [],
    "input": {},
    "bundle": {},
    "run": {},
    "classes": [],
    "sampling": {},
    "answers": [],
    "lesions": [],
    "hypotheses": [],
    "study_scores": {},
    "draw_scores": {},
    "features": [],
    "gate": None,
    "flags": [],
}
"""Every key of the schema but the older ones, in the order they are written, and what stands there if there is nothing to say."""


def read_result(folder: Path) -> dict[str, Any] | None:
    """The result in a study's folder. Returns: None where the folder is none of ours."""
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return None  # ours appear whole or not at all: somebody else's file of the same name
    return {**EMPTY_RESULT, **with_answers(result)} if isinstance(result, dict) and result.get("schema") == SCHEMA else None


def written_files(folder: Path, names: Iterable[str]) -> set[str]:
    """Which files of a folder with a result in it are ours: what its seal says, else all that are named as ours are.

    Args:
        names: of the files in the folder.
    """
    path = folder / SEAL
    try:
        stored = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return {NAME, SEAL, *stored["files"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {name for name in names if WRITTEN.fullmatch(name)}


def with_answers(result: dict[str, Any]) -> dict[str, Any]:
    """A stored result with `answers`, whatever version wrote it."""
    return result if "answers" in result else {**result, "answers": answers_of_older(result)}
