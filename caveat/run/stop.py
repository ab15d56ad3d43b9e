"""Ctrl-C and SIGTERM: the studies in work are finished, no other is begun; a second one ends at once."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any] | int | None
"""Of a signal, as the standard library says it."""


class Stop:
    """Whether the run was asked to stop; in a `with` statement, which gives the signals back."""

    def __init__(self) -> None:
        self.asked = False
        self.before: dict[int, Handler] = {}

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():  # only there may signals be caught
            self.before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def __call__(self) -> bool:
        """Whether to stop."""
        return self.asked

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        print("caveat: stopping after the studies in work; once more stops at once", file=sys.stderr, flush=True)
