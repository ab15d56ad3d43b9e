"""ConformityScore: how far a truth lies from a prediction, in a unit that makes studies comparable."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar

from caveat.reasons import StudyRefused

from ....transforms.plug_ins.classes_in import classes_in
from ..case import Case
from ..regions.region import Region, Value


class ConformityScore(ABC):
    """Subclasses are frozen dataclasses, one a file of its name; their fields are what a record keeps of them.

    The contract, held by tests/contracts/test_conformity_score.py: the truth lies in `region(case, reach)` exactly where each of
    its excesses is at most that end's reach. Parameters are fixed before calibration, from other units.

    Attributes:
        ends: how many excesses there are: 2 of an interval (below, above), 1 of a region about a place.
        kind: of its regions.
        of_ratios: whether the score is one of ratios alone, the same in every unit but for an offset that hardly counts.
        between_networks: whether `about` is known, so that records of cross-validation can be made.
    """

    ends: ClassVar[int]
    kind: ClassVar[str]
    of_ratios: ClassVar[bool] = False
    between_networks: ClassVar[bool] = True

    @property
    @abstractmethod
    def width_from(self) -> str:
        """What the width of its region is made of, "the record" where it is one for all studies; see `Record.width_from`."""

    @property
    def needs_draws(self) -> bool:
        """Whether the width is made of the draws: a single one would pass for certainty."""
        return False

    @property
    def study_scores(self) -> frozenset[str]:
        """Names of the study scores that the width or the centre is made of."""
        return frozenset()

    @abstractmethod
    def excess(self, case: Case, truth: Value) -> tuple[float, ...]:
        """How far the truth lies from what was predicted, one number an end; negative where it may lie farther."""

    @abstractmethod
    def region(self, case: Case, reach: Sequence[float]) -> Region:
        """The truths whose excesses are at most these: the inverse of `excess`. Args: reach: one an end."""

    @abstractmethod
    def about(self, case: Case, other: Case, reach: Sequence[float]) -> tuple[float, ...]:
        """Reach about one prediction that holds the region of this reach about another network's of the same study."""

    def fitted_to(self, identity: Mapping[str, Any], images: frozenset[str]) -> ConformityScore:
        """The score for such predictions, where something of it was learned from further units.

        Args:
            identity: of the predictions. images: sha256 of those that are to be calibrated on.
        """
        return self

    def to_json(self) -> dict[str, Any]:
        """Name and parameters, as a record keeps them."""
        return {"name": type(self).__name__, **asdict(self)}  # type: ignore[call-overload]  # subclasses are dataclasses

    @classmethod
    def with_parameters(cls, **parameters: Any) -> ConformityScore:
        """Of what `to_json` wrote, tuples having become lists."""
        return cls(**parameters)

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> ConformityScore:
        """The score that `to_json` described. Raises: StudyRefused: RECORD_MISMATCH for one that is not known here."""
        name, parameters = stored["name"], {key: value for key, value in stored.items() if key != "name"}
        for kind in classes_in(__package__, ConformityScore):
            if kind.__name__ == name:
                return kind.with_parameters(**parameters)
        raise StudyRefused("RECORD_MISMATCH", "the record's conformity score is not known to this version")

    @classmethod
    @abstractmethod
    def example(cls) -> ConformityScore:
        """A small instance for the contract tests."""
