"""The table of docs/dicom.md, and the sums under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BEGIN = "<!-- made by PYTHONPATH=tests python benchmarks/dicom_readers.py -->"
END = "<!-- end -->"

Row = Mapping[str, Any]


def fill(page: Path, rows: Sequence[Row], readers: Sequence[str]) -> None:
    """Write the table between the page's two marks."""
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n{table(rows, readers)}\n{END}{after}", encoding="utf-8")


def table(rows: Sequence[Row], readers: Sequence[str]) -> str:
    """Markdown: the sums, then one line a case."""
    counted = [row for row in rows if not row["undetectable"]]
    readable = [row for row in counted if not row["expected"]]
    refusable = [row for row in counted if row["expected"]]
    sums = [
        ("silently wrong", len(counted), lambda row, one: one["kind"] == "wrong"),
        ("of these without any message", len(counted), lambda row, one: one["kind"] == "wrong" and not one["message"]),
        (
            "right by chance, to be refused",
            len(refusable),
            lambda row, one: row["expected"] and one["kind"] == "right",
        ),
        ("refused as it should be", len(refusable), lambda row, one: row["expected"] and one["kind"] == "refused"),
        ("refused though readable", len(readable), lambda row, one: not row["expected"] and one["kind"] == "refused"),
    ]
    lines = [line("", "of", *readers), line(*["---"] * (len(readers) + 2))]
    for name, total, counts in sums:
        lines.append(line(name, total, *(sum(bool(counts(row, row[reader])) for row in counted) for reader in readers)))
    lines += ["", line("case", "must be", *readers), line(*["---"] * (len(readers) + 2))]
    for row in rows:
        must = "undetectable" if row["undetectable"] else row["expected"] or "ok"
        lines.append(line(f"{row['number']:02d} {row['case']}", must, *(cell(row, row[reader]) for reader in readers)))
    return "\n".join(lines)


def cell(row: Row, outcome: Mapping[str, Any]) -> str:
    """What one reader made of one case."""
    if outcome["kind"] == "refused":
        return outcome["detail"] if outcome["detail"].isupper() else "refused"
    if outcome["kind"] == "wrong":
        return f"**wrong** {outcome['detail']}{' (message)' if outcome['message'] else ''}"
    return "right by chance" if row["expected"] else "ok"


def line(*cells: object) -> str:
    """One row of a Markdown table."""
    return "|" + "|".join(f" {one} " for one in cells) + "|"
