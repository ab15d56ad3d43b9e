"""ClassLabel: the class of an image, that a bundle states by the probability of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ClassLabel:
    """Args: name: as in files. classes: their names, in the network's order."""

    name: str
    classes: Sequence[str]

    def of_truth(self, truth: Any) -> int:
        """Number of the true class. Args: truth: of `ClassTruths`."""
        return list(self.classes).index(truth.name)
