"""The three streams that a program expects from its caller."""

from __future__ import annotations

import io
import os
import sys


def complete_streams() -> None:
    """Where the caller closed one, /dev/null: else the next file opened gets its number, and what a library prints goes into it.

    What stdout's encoding does not have, such as a path of no encoding at all, is printed in escapes.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - for as long as the program runs
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def drop_stdout() -> None:
    """Nobody reads it any more, or it cannot be written: what is left in it must not raise again when the program ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
