"""result.json read back, without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .older_keys import answers_of_older

NAME = "result.json"
SCHEMA = "caveat-result-1"
SEAL = "files.json"
"""Beside it: what the program wrote into the folder."""
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


def written_files(folder: Path) -> set[str]:
    """Names of the files that were written with the result in a folder; none where it does not say."""
    path = folder / SEAL
    try:
        stored = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return {NAME, SEAL, *stored["files"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()


def with_answers(result: dict[str, Any]) -> dict[str, Any]:
    """A stored result with `answers`, whatever version wrote it."""
    return result if "answers" in result else {**result, "answers": answers_of_older(result)}
