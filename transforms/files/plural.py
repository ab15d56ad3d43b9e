"""The plural of what is counted in a sentence."""

from __future__ import annotations


def plural(unit: str) -> str:
    """ "subjects", or "fields of view". Args: unit: in the singular, a word, or a word and what it is of."""
    word, of, rest = unit.partition(" of ")
    return f"{word}s{of}{rest}"
