"""Whether a result.json that is read back has the form of its published schema: somebody may have edited it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMA_FILE = Path(__file__).resolve().parent.parent / "writers" / "result.schema.json"


def has_form(result: Mapping[str, Any]) -> bool:
    """Whether every key that the schema names has a value as the schema says; earlier versions may lack some of them."""
    return _validator().is_valid(result)


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(_without_required(json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))))


def _without_required(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_required(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _without_required(part) for key, part in schema.items() if key != "required"}
