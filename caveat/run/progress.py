"""What a person sees of a run while it goes on: one bar on a terminal, else a line a study. Studies are named by number."""

from __future__ import annotations

import contextlib
import sys
import time

from tqdm import tqdm

from ..reasons import REASONS
from ..say import say
from ..transforms.output.outcome import Outcome

SAID = {"OK": "measured", "NOTHING_FOUND": "nothing found", "REFUSED": "refused"}


class Progress:
    """On stderr. Args: total: studies of the run."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.measured = total, 0, 0
        self.start = time.monotonic()
        self.hinted: set[str] = set()
        self.bar = tqdm(total=total, unit="study", dynamic_ncols=True) if sys.stderr.isatty() else None

    def show(self, outcome: Outcome) -> None:
        """One study more."""
        self.done += 1
        self.measured += not outcome.reused
        if self.bar is None:
            say(self._line(outcome))
            return
        with contextlib.suppress(OSError):  # a terminal that was closed ends no run
            self.bar.update()
            if outcome.status == "REFUSED" or outcome.edited:
                self.bar.write(self._line(outcome), file=sys.stderr)

    def close(self) -> None:
        """The bar stays as it is."""
        if self.bar is not None:
            with contextlib.suppress(OSError):
                self.bar.close()

    def _line(self, outcome: Outcome) -> str:
        """Such as "study 7, 3 of 12: measured, 2.1 s, about 1 min left"; what to do about a refusal at the first of its kind."""
        said = [SAID[outcome.status], "done before" if outcome.reused else f"{outcome.seconds:.1f} s"]
        left = (time.monotonic() - self.start) / self.measured * (self.total - self.done) if self.measured else 0.0
        if left > 0 and self.bar is None:
            said.append(f"about {duration(left)} left")
        if outcome.edited:
            said.append("made again: files of it were gone")
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
