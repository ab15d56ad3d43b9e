"""result.json: what a program reads."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from .arrays import plain
from .writer import Writer

SCHEMA = "caveat-result-1"
EMPTY_RESULT: Mapping[str, Any] = {
    "schema": SCHEMA,
    "status": "OK",
    "reasons": [],
    "input": {},
    "bundle": {},
    "classes": [],
    "sampling": {},
    "measurements": [],
    "points": [],
    "lesions": [],
    "hypotheses": [],
    "study_scores": {},
    "features": [],
    "gate": None,
    "flags": [],
}
"""Every key of the schema, in the order they are written, and what stands there if there is nothing to say."""


class ResultJsonWriter(Writer):
    """result.json: the study's `result`, keys in the schema's order, floats with 6 significant digits."""

    of_refusals = True

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: with `result`."""
        result = plain(study["result"])
        text = json.dumps(six_digits({**EMPTY_RESULT, **result}), ensure_ascii=True, indent=1, allow_nan=False)
        (folder / "result.json").write_text(text + "\n", encoding="ascii")

    @classmethod
    def example(cls) -> ResultJsonWriter:
        """See `Writer.example`."""
        return cls()


def six_digits(value: Any) -> Any:
    """Floats with 6 significant digits, at any depth; one that is no number is None, for JSON has no other word for it."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: six_digits(item) for key, item in value.items()}
    if isinstance(value, list):
        return [six_digits(item) for item in value]
    return value


def read_result(folder: Path) -> dict[str, Any] | None:
    """The result in a study's folder. Returns: None where the folder is none of ours."""
    path = folder / "result.json"
    if not path.is_file():
        return None
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None  # ours appear whole or not at all: somebody else's file of the same name
    return {**EMPTY_RESULT, **result} if isinstance(result, dict) and result.get("schema") == SCHEMA else None
