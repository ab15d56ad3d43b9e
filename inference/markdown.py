"""Numbers and tables as a person reads them in markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence


def shown(value: float) -> str:
    """A number for the eye: three significant digits, at most six decimals, whole from 100 on; "-" where undefined."""
    if not math.isfinite(value):
        return "-"
    if not value:
        return "0"
    decimals = 2 - math.floor(math.log10(abs(value)))
    return f"{value:.{min(max(decimals, 0), 6)}f}"


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A markdown table. Args: head: of the columns. rows: of cells."""
    return "\n".join(["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)])
