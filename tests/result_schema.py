"""result.json against its published schema, and against its silence: what the schema does not describe is a mistake too."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).resolve().parent.parent / "transforms" / "writers" / "result.schema.json"


@cache
def published() -> dict[str, Any]:
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


def strict(schema: Any) -> Any:
    """The schema with every object closed to keys that it does not name."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(part) for key, part in schema.items()}
    return {"unevaluatedProperties": False, **closed} if schema.get("type") == "object" else closed


@cache
def validator() -> Draft202012Validator:
    return Draft202012Validator(strict(published()))


def mistakes(result: dict[str, Any]) -> list[str]:
    """What is wrong with a result, in the validator's words."""
    return [f"{'/'.join(map(str, error.path))}: {error.message[:300]}" for error in validator().iter_errors(result)]


def read_valid(path: Path) -> dict[str, Any]:
    """A result.json that follows the schema."""
    result = json.loads(path.read_text(encoding="utf-8"))
    assert mistakes(result) == [], path
    return result
