"""A box of the study that no later window touches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch

from .labels import labels_of


@dataclass(frozen=True)
class Block:
    """Rows of the study along its first spatial axis, final for the draws of one chunk.

    Args:
        start: first row of the block.
        values: (draws, classes, rows, *other axes), after the link.
    """

    start: int
    values: torch.Tensor

    @property
    def stop(self) -> int:
        """One past the last row."""
        return self.start + self.values.shape[2]

    @property
    def rows(self) -> slice:
        """Where the block lies in the study."""
        return slice(self.start, self.stop)

    @cached_property
    def labels(self) -> torch.Tensor:
        """What each draw says, (draws, rows, *other axes), uint8: found once for all reducers that ask."""
        return labels_of(self.values, axis=1)
