"""A number with a unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ....transforms.files.answers import MEASUREMENT
from ...targets.statement import statement
from .answer_kind import AnswerKind, floats


class Measurement(AnswerKind):
    """Its value is None where nothing was found: then nothing is promised."""

    kind: ClassVar[str] = MEASUREMENT

    def facts(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "value": 0.0 if entry["value"] is None else float(entry["value"]),
            "draws": floats(entry["draws"]["values"]),
            "at_most": entry.get("at_most"),
            "counted": entry["value"] is not None,
        }

    def answers(self, entry: Mapping[str, Any]) -> bool:
        return entry["value"] is not None

    def sentence(self, entry: Mapping[str, Any], withheld: str) -> str:
        return statement(entry["title"], entry["unit"], entry["value"], entry["draws"]["values"], entry["region"], withheld)
