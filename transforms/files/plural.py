"""The plural of what is counted in a sentence."""

from __future__ import annotations

import re

IRREGULAR = {"child": "children"}


def plural(unit: str) -> str:
    """ "subjects", "bodies", or "fields of view". Args: unit: in the singular, a word, or a word and what it is of."""
    word, of, rest = unit.partition(" of ")
    regular = re.sub(r"(?<=[^aeiou])y$", "ie", word) + "s"
    return f"{IRREGULAR.get(word, regular)}{of}{rest}"
