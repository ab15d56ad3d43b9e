"""Numbers and tables as a person reads them in markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def shown(value: float) -> str:
    """A number for the eye: three significant digits, at most six decimals, whole from 100 on; "-" where undefined."""
    if not math.isfinite(value):
        return "-"
    if not value:
        return "0"
    decimals = 2 - math.floor(math.log10(abs(value)))
    return f"{value:.{min(max(decimals, 0), 6)}f}"


def left_out_part(rows: Sequence[Mapping[str, Any]], said: str) -> list[str]:
    """Which images have no figures, and why; nothing where there are none. Args: rows: of `left_out_row`. said: of them all."""
    if not rows:
        return []
    lines = [f"- entry {row['entry']} ({row['unit']}): {row['code']}: {row['found']}" for row in rows]
    return ["\n".join([f"**{len(lines)} images {said}:**", "", *lines])]


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A markdown table. Args: head: of the columns. rows: of cells."""
    return "\n".join(["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)])
