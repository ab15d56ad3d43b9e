"""CSV that a spreadsheet program opens without running it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a table; None is an empty cell, floats have 6 significant digits."""
    path.write_bytes(csv_bytes(header, rows))


def csv_bytes(header: Sequence[str], rows: Iterable[Iterable[Any]]) -> bytes:
    """A table as `write_csv` writes it."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows([safe_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8")


def safe_cell(value: Any) -> str:
    """One cell. A text that a spreadsheet would take for a formula gets a leading quotation mark; numbers are left alone."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return "'" + text if not isinstance(value, int) and text.startswith(STARTS_A_FORMULA) else text
