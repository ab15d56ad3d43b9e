"""The loop: windows in, finished rows out, for one chunk of draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from caveat.reasons import StudyRefused

from ...networks.backbones.direct_convolution import DirectConvolution
from ...networks.draws.draw import Draw
from ...networks.draws.place import Place
from ...networks.draws.sampler import Sampler
from .windows import WindowPlan

FEATURE_MIB = {"cpu": 16, "cuda": 512}
"""How large such a map may be for several windows or draws to share a pass. Above 32 MiB the allocator of a CPU maps and unmaps
each one, which took half of the time; a GPU wants many at once."""


class RowStream:
    """Runs one chunk of draws over all windows of a study; rows leave as soon as no later window touches them.

    Only the rows of the current slab are held, so memory does not grow with the study's first axis either.

    Args:
        sampler: in evaluation mode.
        plan: windows of the study.
        window_batch: windows encoded at once; None takes as many as make feature maps of `FEATURE_MIB`.
        decode_batch: windows times draws decoded at once, likewise.
        precision: torch.float32, or a lower one that convolutions run in; blending is in float32 always.
        after_window_batch: called with the number of windows done, for a progress bar.

    Attributes:
        summaries: pooled features (windows, channels) of each batch of windows, float32 on the CPU: what the gate looks at.
    """

    def __init__(
        self,
        sampler: Sampler,
        plan: WindowPlan,
        window_batch: int | None = None,
        decode_batch: int | None = None,
        precision: torch.dtype = torch.float32,
        after_window_batch: Callable[[int], None] = lambda count: None,
    ) -> None:
        self.sampler = sampler
        self.plan = plan
        self.window_batch = window_batch
        self.decode_batch = decode_batch
        self.precision = precision
        self.after_window_batch = after_window_batch
        self.summaries: list[torch.Tensor] = []

    def rows(self, padded: torch.Tensor, context: Any, draws: Sequence[Draw]) -> Iterator[torch.Tensor]:
        """Args: padded: (1, C, *padded size). Yields: logits of consecutive rows, (draws, classes, rows, *other axes),
        float32, the study's own extent; together all rows once.

        Raises:
            StudyRefused: NON_FINITE_OUTPUT.
        """
        importance = self.plan.importance.to(padded.device)
        starts = [slab[0].origin[0] for slab in self.plan.slabs] + [self.plan.padded_size[0]]
        at_once = self._at_once(padded.device)
        shape = (importance.shape[0], *self.plan.padded_size[1:])
        total, weight = importance.new_empty(0), importance.new_zeros(shape)
        for slab, start, following in zip(self.plan.slabs, starts, starts[1:], strict=False):
            for first in range(0, len(slab), self.window_batch or at_once):
                places = slab[first : first + (self.window_batch or at_once)]
                done = 0
                for logits in self._decode_windows(padded, places, context, draws, self.decode_batch or at_once):
                    if not len(total):
                        total = logits.new_zeros(len(draws), logits.shape[2], *shape)
                    group = total[done : done + len(logits)]
                    for window, place in enumerate(places):
                        group[_beside_rows(place)].addcmul_(logits[:, window], importance)
                    done += len(logits)
                for place in places:
                    weight[_beside_rows(place)[2:]] += importance
                self.after_window_batch(len(places))
            if following == self.plan.padded_size[0]:
                yield self._crop(total.div_(weight), start)
                return
            rows = following - start
            yield self._crop(total[:, :, :rows] / weight[:rows], start)
            for held in total:  # one by one: what is copied aside is that of a single draw
                _shift(held, rows, axis=1)
            _shift(weight, rows, axis=0)

    def _at_once(self, device: torch.device) -> int:
        """Windows, or windows times draws, whose feature maps are as large as is well."""
        return max(1, int(FEATURE_MIB[device.type] * 2**20 / (self.sampler.voxel_bytes * self.plan.importance.numel())))

    def _decode_windows(
        self, padded: torch.Tensor, places: Sequence[Place], context: Any, draws: Sequence[Draw], at_once: int
    ) -> Iterator[torch.Tensor]:
        """Encode a batch of windows once, decode it for all draws. Yields: of some draws after the other their logits, (draws,
        windows, classes, *window), float32."""
        windows = torch.cat([padded[(slice(None), slice(None), *_box(place))] for place in places])
        size = max(1, at_once // len(places))
        with self._precision(padded.device):
            features = self.sampler.encode(windows, places, context)
            self.summaries.append(self.sampler.summary(features).float().cpu())
        for first in range(0, len(draws), size):
            with self._precision(padded.device):
                logits = self.sampler.decode(features, draws[first : first + size], places, context).float()
            if not bool(torch.isfinite(logits).all()):
                raise StudyRefused("NON_FINITE_OUTPUT")
            yield logits

    def _precision(self, device: torch.device) -> AbstractContextManager[Any]:
        """How convolutions are computed."""
        if self.precision != torch.float32:
            return torch.autocast(device.type, dtype=self.precision)
        return DirectConvolution() if device.type == "cpu" else nullcontext()

    def _crop(self, rows: torch.Tensor, start: int) -> torch.Tensor:
        """Cut the padding off rows that begin at row `start` of the padded study."""
        (before, _), *others = self.plan.padding
        first = max(0, before - start)
        last = min(rows.shape[2], before + self.plan.size[0] - start)
        box = [slice(pad, pad + size) for (pad, _), size in zip(others, self.plan.size[1:], strict=True)]
        return rows[(slice(None), slice(None), slice(first, max(first, last)), *box)]


def _beside_rows(place: Place) -> tuple[slice, ...]:
    """A window in the held rows, (draws, classes, rows, *other axes), which begin where its slab does."""
    return (slice(None), slice(None), slice(None), *_box(place)[1:])


def _box(place: Place) -> tuple[slice, ...]:
    return tuple(slice(origin, origin + size) for origin, size in zip(place.origin, place.size, strict=True))


def _shift(held: torch.Tensor, rows: int, axis: int) -> None:
    """Move what lies behind the first rows to the front, in place, and put zeros behind it."""
    kept = held.shape[axis] - rows
    held.narrow(axis, 0, kept).copy_(held.narrow(axis, rows, kept).clone())
    held.narrow(axis, kept, rows).zero_()
