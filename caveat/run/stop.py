"""What asks a run to stop: Ctrl-C, SIGTERM, and SIGHUP where the terminal is closed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from ..say import say

ASKING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stop:
    """Whether the run was asked to stop: the studies in work are finished, no other is begun; a second time ends at once."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        """Whether to stop."""
        return self.asked

    def ask(self, number: int, frame: FrameType | None) -> None:
        """A handler of signals."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        say("caveat: stopping after the studies in work; once more stops at once")


def end(number: int, frame: FrameType | None) -> None:
    """A handler of signals, for what is no run: it ends as by Ctrl-C, so that what was unpacked is removed."""
    raise KeyboardInterrupt


@contextmanager
def handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Signals go to a handler, in a `with` statement that gives them back. Those that are ignored, as by nohup, stay so."""
    if threading.current_thread() is not threading.main_thread():  # only there may signals be caught
        yield
        return
    before = {number: signal.getsignal(number) for number in ASKING}
    caught = {number: old for number, old in before.items() if old != signal.SIG_IGN}
    for number in caught:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in caught.items():
            signal.signal(number, old)
