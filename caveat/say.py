"""A word to whoever listens."""

from __future__ import annotations

import contextlib
import sys


def say(text: str) -> None:
    """A line on stderr. Nothing depends on it: a terminal that was closed, or a full disk behind it, ends no run."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)
