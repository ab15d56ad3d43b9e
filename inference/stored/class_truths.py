"""The truths of a task that says which class an image is of: as the data list names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from .stored_study import StoredStudy


@dataclass(frozen=True)
class ClassTruth:
    """One image's class. Args: rater: who says so. name: of the class."""

    rater: str
    name: str


class ClassTruths:
    """Classes that stand in the list itself, each entry's under "class".

    Args:
        classes: their names. rater: who says so.
    """

    def __init__(self, classes: Sequence[str], rater: str = "truth") -> None:
        self.classes = tuple(classes)
        self.rater = rater

    def read(self, entry: Mapping[str, Any], dataset_dir: Path, study: StoredStudy) -> list[ClassTruth]:
        """The one truth of an entry. Raises: StudyRefused: NO_TRUTH, also where it is another class than the bundle's."""
        stated = entry.get("class")
        if stated not in self.classes:
            raise StudyRefused("NO_TRUTH", "the entry names none of the bundle's classes")
        return [ClassTruth(self.rater, stated)]

    def as_prediction(self, truth: ClassTruth) -> StoredStudy:
        """There is one reading of an image, so none is scored against another."""
        return StoredStudy(truth.rater, result={"answers": []})
