"""A set of classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from .region import Region


@dataclass(frozen=True)
class ClassSet(Region):
    """The classes that an image may be of, by their numbers: all of them, some or none. Args: held: rising."""

    kind: ClassVar[str] = "classes"
    size_name: ClassVar[str] = "number of classes"
    held: tuple[int, ...]

    @classmethod
    def likeliest(cls, probability: Sequence[float], share: float) -> ClassSet:
        """The fewest classes whose probabilities add up to a share, which promises nothing."""
        held: list[int] = []
        for index in sorted(range(len(probability)), key=lambda one: -probability[one]):
            held.append(index)
            if sum(probability[one] for one in held) >= share:
                break
        return cls(tuple(sorted(held)))

    def contains(self, truth: int) -> bool:
        return truth in self.held

    @property
    def radius(self) -> float:
        """How many there are."""
        return float(len(self.held))

    @property
    def is_empty(self) -> bool:
        """Never: that no class is left is an answer, which the sentence says."""
        return False

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "classes": list(self.held)}
