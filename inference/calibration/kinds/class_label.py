"""The class of an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ....transforms.files.answers import CLASS
from ...targets.class_statement import class_statement
from .answer_kind import AnswerKind, floats


class ClassLabelKind(AnswerKind):
    """Its value is the probability of each class."""

    kind: ClassVar[str] = CLASS

    def facts(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        return {"value": floats(entry["value"]), "draws": tuple(map(floats, entry["draws"]["values"]))}

    def sentence(self, entry: Mapping[str, Any], withheld: str) -> str:
        return class_statement(
            entry["title"], entry["classes"], entry["value"], entry["draws"]["values"], entry["region"], withheld
        )
