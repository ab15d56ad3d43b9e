"""Rows that are final, handed on with as much of their neighbourhood as a reducer asks for."""

from __future__ import annotations

import torch

from .block import Block


class HaloBuffer:
    """Cuts a stream of rows into blocks with a halo; the core of the blocks covers every row once.

    Args:
        halo: rows around each block; infinity collects the whole study into one block.
        rows: rows of the study.
    """

    def __init__(self, halo: float, rows: int) -> None:
        self.halo = halo
        self.rows = rows
        self._held: torch.Tensor | None = None
        self._first = 0  # row of the study that the held values begin with
        self._next = 0  # first row that no block has covered

    def push(self, values: torch.Tensor) -> tuple[Block, torch.Tensor] | None:
        """Args: values: (draws, classes, rows, *other axes), the rows after those pushed before.
        Returns: the block that became complete and its values with halo, or None."""
        self._held = values if self._held is None else torch.cat([self._held, values], dim=2)
        stop = self._first + self._held.shape[2]
        limit = self.rows if stop == self.rows else stop - self.halo
        if limit <= self._next:
            return None
        before = int(min(self.halo, self._next - self._first))
        block = Block(self._next, int(limit), before, stop - int(limit))
        handed = self._held[:, :, self._next - before - self._first :]
        keep = int(max(self._first, limit - self.halo))
        self._held = self._held[:, :, keep - self._first :]
        self._first, self._next = keep, int(limit)
        return block, handed
