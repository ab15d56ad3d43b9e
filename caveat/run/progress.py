"""What a person sees of a run while it goes on: one bar on a terminal, else a line a study. Studies are named by number."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from tqdm import tqdm

from ..reasons import REASONS
from ..transforms.writers.outcome import Outcome

SAID = {"OK": "measured", "NOTHING_FOUND": "nothing found", "REFUSED": "refused"}


class Progress:
    """Args: total: studies of the run. stream: a terminal or not."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self.total, self.done, self.measured = total, 0, 0
        self.stream = stream or sys.stderr
        self.start = time.monotonic()
        self.hinted: set[str] = set()
        self.bar = tqdm(total=total, unit="study", file=self.stream, dynamic_ncols=True) if self.stream.isatty() else None

    def show(self, outcome: Outcome) -> None:
        """One study more."""
        self.done += 1
        self.measured += not outcome.reused
        if self.bar is not None:
            self.bar.update()
            if outcome.status == "REFUSED":
                self.bar.write(self._line(outcome), file=self.stream)
        else:
            print(self._line(outcome), file=self.stream, flush=True)

    def close(self) -> None:
        """The bar stays as it is."""
        if self.bar is not None:
            self.bar.close()

    def _line(self, outcome: Outcome) -> str:
        """Such as "study 7, 3 of 12: measured, 2.1 s, about 1 min left"; what to do about a refusal at the first of its kind."""
        said = [SAID[outcome.status], "done before" if outcome.reused else f"{outcome.seconds:.1f} s"]
        left = (time.monotonic() - self.start) / self.measured * (self.total - self.done) if self.measured else 0.0
        if left > 0 and self.bar is None:
            said.append(f"about {duration(left)} left")
        line = f"study {outcome.number}, {self.done} of {self.total}: {', '.join(said)}"
        if outcome.status != "REFUSED":
            return line
        code = outcome.reasons[0]
        hint = "" if code in self.hinted else f"\n\nhint: {REASONS[code].what_to_do}\n"
        self.hinted.add(code)
        return f"{line}; {code}: {outcome.why}{hint}"


def duration(seconds: float) -> str:
    """In the unit that a person would use."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
