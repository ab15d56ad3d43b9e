"""Two sides timed in turns, so that a busy machine slows both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Turns:
    """CPU seconds of each turn of two sides."""

    first: list[float]
    second: list[float]

    @property
    def ratio(self) -> float:
        """Median over the turns of first / second."""
        return statistics.median(self.ratios)

    @property
    def ratios(self) -> list[float]:
        """Of each turn."""
        return [first / second for first, second in zip(self.first, self.second, strict=True)]

    def __str__(self) -> str:
        middle = f"{statistics.median(self.first):.2f} | {statistics.median(self.second):.2f} | {self.ratio:.1f}"
        return f"{middle} ({min(self.ratios):.1f} to {max(self.ratios):.1f}, n = {len(self.first)})"


def take_turns(first: Callable[[], object], second: Callable[[], object], turns: int, warm: bool = True) -> Turns:
    """Run both in turns. Args: warm: once before, which does not count."""
    seconds: tuple[list[float], list[float]] = [], []
    for turn in range(turns + warm):
        for side, times in zip((first, second), seconds, strict=True):
            start = time.process_time()
            side()
            if turn >= warm:
                times.append(time.process_time() - start)
    return Turns(*seconds)
