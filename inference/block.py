"""A box of the study that no later window touches."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """Rows [start, stop) of the study along its first spatial axis, final for the draws of one chunk.

    Args:
        start: first row of the block.
        stop: one past its last row.
    """

    start: int
    stop: int

    @property
    def rows(self) -> slice:
        """Where the block lies in the study."""
        return slice(self.start, self.stop)
