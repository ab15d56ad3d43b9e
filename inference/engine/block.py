"""A box of the study that no later window touches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch

from .labels import labels_of, mask_of


@dataclass(frozen=True)
class Block:
    """Rows of the study along its first spatial axis, final for the draws of one chunk.

    Args:
        start: first row of the block.
        values: (draws, classes, rows, *other axes), after the link.
        independent: whether each class stands for itself (link sigmoid).
    """

    start: int
    values: torch.Tensor
    independent: bool = False

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
        return labels_of(self.values, 1, self.independent)

    def mask(self, index: int) -> torch.Tensor:
        """Where each draw has a class, (draws, rows, *other axes), bool."""
        return mask_of(self.values, self.labels, index, 1, self.independent)
