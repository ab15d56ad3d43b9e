"""The loop: windows in, finished rows out, for one chunk of draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from caveat.reasons import StudyRefused

from ..networks.draw import Draw
from ..networks.place import Place
from ..networks.sampler import Sampler
from .windows import WindowPlan


class RowStream:
    """Runs one chunk of draws over all windows of a study; rows leave as soon as no later window touches them.

    Only the rows of the current slab are held, so memory does not grow with the study's first axis either.

    Args:
        sampler: in evaluation mode.
        plan: windows of the study.
        window_batch: windows encoded at once.
        decode_batch: windows times draws decoded at once.
        precision: torch.float32, or a lower one that convolutions run in; blending is in float32 always.
        after_window_batch: called with the number of windows done, for a progress bar.

    Attributes:
        summaries: pooled features (windows, channels) of each batch of windows, float32 on the CPU: what the gate looks at.
    """

    def __init__(
        self,
        sampler: Sampler,
        plan: WindowPlan,
        window_batch: int,
        decode_batch: int,
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
        total = weight = None
        for slab, start, following in zip(self.plan.slabs, starts, starts[1:], strict=False):
            for first in range(0, len(slab), self.window_batch):
                places = slab[first : first + self.window_batch]
                logits = self._decode_windows(padded, places, context, draws)
                if total is None:
                    shape = (importance.shape[0], *self.plan.padded_size[1:])
                    total = logits.new_zeros(len(draws), logits.shape[2], *shape)
                    weight = importance.new_zeros(shape)
                for window, place in enumerate(places):
                    box = (slice(None), *(slice(o, o + n) for o, n in zip(place.origin[1:], place.size[1:], strict=True)))
                    total[(slice(None), slice(None), *box)] += logits[:, window] * importance
                    weight[box] += importance
                self.after_window_batch(len(places))
            done = following - start
            yield self._crop(total[:, :, :done] / weight[:done], start)
            total, weight = _shift(total, done, axis=2), _shift(weight, done, axis=0)

    def _decode_windows(self, padded: torch.Tensor, places: Sequence[Place], context: Any, draws: Sequence[Draw]) -> torch.Tensor:
        """Encode a batch of windows once, decode it for all draws. Returns: (draws, windows, classes, *window), float32."""
        windows = torch.cat([padded[(slice(None), slice(None), *_box(place))] for place in places])
        at_once = max(1, self.decode_batch // len(places))
        with torch.autocast(padded.device.type, dtype=self.precision, enabled=self.precision != torch.float32):
            features = self.sampler.encode(windows, places, context)
            self.summaries.append(self.sampler.summary(features).float().cpu())
            groups = [draws[first : first + at_once] for first in range(0, len(draws), at_once)]
            logits = torch.cat([self.sampler.decode(features, group, places, context).float() for group in groups])
        if not bool(torch.isfinite(logits).all()):
            raise StudyRefused("NON_FINITE_OUTPUT")
        return logits

    def _crop(self, rows: torch.Tensor, start: int) -> torch.Tensor:
        """Cut the padding off rows that begin at row `start` of the padded study."""
        (before, _), *others = self.plan.padding
        first = max(0, before - start)
        last = min(rows.shape[2], before + self.plan.size[0] - start)
        box = [slice(pad, pad + size) for (pad, _), size in zip(others, self.plan.size[1:], strict=True)]
        return rows[(slice(None), slice(None), slice(first, max(first, last)), *box)]


def _box(place: Place) -> tuple[slice, ...]:
    return tuple(slice(origin, origin + size) for origin, size in zip(place.origin, place.size, strict=True))


def _shift(held: torch.Tensor, rows: int, axis: int) -> torch.Tensor:
    """Drop the first rows, append as many zeros."""
    rest = held.narrow(axis, rows, held.shape[axis] - rows)
    shape = list(held.shape)
    shape[axis] = held.shape[axis] - rest.shape[axis]
    return torch.cat([rest, held.new_zeros(shape)], dim=axis)
