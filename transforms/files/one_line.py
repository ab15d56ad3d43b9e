"""Names that somebody else gave, as text that a table, a file and a terminal take."""

from __future__ import annotations

import re

NO_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""What drives a terminal or breaks a line, and what no encoding has, as in names of old systems."""


def one_line(name: str) -> str:
    """The name with such characters written as escapes; it stays another than every other name."""
    return NO_TEXT.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), name)
