"""AnswerKind: how an answer of one kind becomes a case, and the sentence that says it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

import numpy as np

from ....transforms.plug_ins.classes_in import classes_in


class AnswerKind(ABC):
    """One kind of `answers`; all that records know of it beside scores and regions.

    Attributes:
        kind: as an answer states it.
        share_one_record: whether all answers of the kind have one record, whose identity names them all, in place of one each.
    """

    kind: ClassVar[str]
    share_one_record: ClassVar[bool] = False

    @abstractmethod
    def facts(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """What a case holds of it: `value`, `draws`, and what else of a `Case` it knows. Args: entry: of `answers`."""

    @abstractmethod
    def sentence(self, entry: Mapping[str, Any], withheld: str) -> str:
        """Its statement. Args: entry: with its regions. withheld: why a record there is gives none, "" where none is withheld."""

    def answers(self, entry: Mapping[str, Any]) -> bool:
        """Whether there is anything to promise; a landmark that the image does not show counts all the same."""
        return True


def kind_of(entry: Mapping[str, Any]) -> AnswerKind:
    """The kind of an answer. Raises: KeyError: one that is not known here."""
    return _kinds()[entry["kind"]]


@cache
def _kinds() -> dict[str, AnswerKind]:
    return {kind.kind: kind() for kind in classes_in(__package__, AnswerKind)}


def floats(numbers: Any) -> tuple[float, ...]:
    """Numbers of a stored answer, whose None is no number: NaN, which a case refuses."""
    return tuple(np.array(numbers, dtype=float).tolist())
