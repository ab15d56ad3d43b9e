"""ConformityScore: how far a truth lies from a prediction, in a unit that makes studies comparable."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from caveat.reasons import StudyRefused

from ..case import Case


class ConformityScore(ABC):
    """Subclasses are frozen dataclasses, one a file of its name in lower case; their fields are what a record keeps of them.

    The contract, held by tests/contracts/test_conformity_score.py: the truth lies in `ends(case, q_below, q_above)` exactly
    where its excess below is at most `q_below` and its excess above at most `q_above`. Parameters are fixed before calibration,
    from other units.

    Attributes:
        of_ratios: whether the score is one of ratios alone, the same in every unit but for an offset that hardly counts.
    """

    of_ratios: ClassVar[bool] = False

    @property
    def needs_draws(self) -> bool:
        """Whether the width is made of the draws: a single one would pass for certainty."""
        return False

    @property
    def study_scores(self) -> frozenset[str]:
        """Names of the study scores that the width or the centre is made of."""
        return frozenset()

    @abstractmethod
    def excess(self, case: Case, truth: float) -> tuple[float, float]:
        """How far the truth lies below, and above, what was predicted; negative on the other side."""

    @abstractmethod
    def ends(self, case: Case, q_below: float, q_above: float) -> tuple[float, float]:
        """The truths whose excesses are at most these: the inverse of `excess`. Infinite for an infinite q."""

    def bounds(self, case: Case, q_below: float, q_above: float) -> tuple[float, float]:
        """Ends of the interval, in the measurement's unit.

        Ends that have crossed (scores may be negative) are both their midpoint. The lower one is at least 0: no structure is
        smaller, so the clip costs no coverage.
        """
        lower, upper = self.ends(case, q_below, q_above)
        if lower > upper:
            lower = upper = (lower + upper) / 2
        return max(lower, 0.0), max(upper, 0.0)

    def to_json(self) -> dict[str, Any]:
        """Name and parameters, as a record keeps them."""
        return {"name": type(self).__name__, **asdict(self)}

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> ConformityScore:
        """The score that `to_json` described. Raises: StudyRefused: RECORD_MISMATCH for one that is not known here."""
        name, parameters = stored["name"], {key: value for key, value in stored.items() if key != "name"}
        package = __package__
        modules = (module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__))
        for module in modules:
            kind = getattr(importlib.import_module(f"{package}.{module}"), name, None)
            if isinstance(kind, type) and issubclass(kind, ConformityScore) and kind is not ConformityScore:
                return kind(**parameters)
        raise StudyRefused("RECORD_MISMATCH", "the record's conformity score is not known to this version")

    @classmethod
    @abstractmethod
    def example(cls) -> ConformityScore:
        """A small instance for the contract tests."""
