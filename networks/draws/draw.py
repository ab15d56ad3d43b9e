"""A draw: one hypothesis about the whole study."""

from __future__ import annotations

from dataclasses import dataclass

from .hash_noise import hash32


@dataclass(frozen=True)
class Draw:
    """One hypothesis. Every random number of it is a pure function of (seed, index, layer, coordinate or channel).

    Args:
        index: number of the draw, from 0; for an ensemble the number of the member.
        seed: seed of the run.
    """

    index: int
    seed: int = 0

    @property
    def key(self) -> int:
        """32-bit key of (seed, index)."""
        return int(hash32(self.seed, self.index))


def first_draws(count: int, seed: int = 0) -> list[Draw]:
    """Draws 0 to count - 1 of a seed."""
    return [Draw(index, seed) for index in range(count)]
