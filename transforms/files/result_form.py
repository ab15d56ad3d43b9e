"""Whether a result.json that is read back has the form of its published schema: somebody may have edited it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMA_FILE = Path(__file__).resolve().parent.parent / "writers" / "result.schema.json"
OF_WHAT_IS_WRITTEN = {"required", "minimum", "minLength", "if", "then", "else", "oneOf"}
"""Of a whole result of this version: an earlier one may lack keys, and a condition on a key that is not there is met."""


def has_form(result: Mapping[str, Any]) -> bool:
    """Whether every key that the schema names, where it is there, has a value as the schema says. A number may always be null."""
    return _validator().is_valid(result)


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(_relaxed(json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))))


def _relaxed(schema: Any) -> Any:
    """The types alone: of alternatives and conditions any branch will do."""
    if isinstance(schema, list):
        return [_relaxed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _relaxed(part) for key, part in schema.items() if key not in OF_WHAT_IS_WRITTEN}
    if schema.get("type") in ("number", "integer"):
        kept["type"] = [schema["type"], "null"]
    branches = [schema["oneOf"]] if "oneOf" in schema else []
    branches += [[schema.get("then", {}), schema.get("else", {})]] if "if" in schema else []
    either = [{"anyOf": _relaxed(branch)} for branch in branches]
    return {**kept, "allOf": [*kept.get("allOf", []), *either]} if either else kept
