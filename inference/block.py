"""A box of the study that no later window touches."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """Rows [start, stop) of the study along its first spatial axis, final for the draws of one chunk.

    Args:
        start: first row of the block proper.
        stop: one past its last row.
        before: rows of halo that the values hold in front of `start`.
        after: rows of halo that the values hold behind `stop`.
    """

    start: int
    stop: int
    before: int = 0
    after: int = 0

    @property
    def rows(self) -> slice:
        """Where the block proper lies in the study."""
        return slice(self.start, self.stop)

    @property
    def core(self) -> slice:
        """Where the block proper lies in the values handed along, which may have a halo."""
        return slice(self.before, self.before + self.stop - self.start)
