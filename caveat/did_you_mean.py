"""The name that a mistyped one was meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """What there is, the likeliest first. Args: name: as stated; it is not repeated. names: there are."""
    names = list(names)
    close = get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}? There are {', '.join(names)}" if close else f"there are {', '.join(names)}"
