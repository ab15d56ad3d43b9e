"""Lesions as a table."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from ..files.csv_cells import write_csv
from .writer import Writer


class LesionsCsvWriter(Writer):
    """lesions.csv: one row a piece of the reported mask, from large to small; no file where the bundle lists none.

    `existence` is the share of the draws that have a part of it; `mean`, `sd`, `smallest` and `largest` are of its size in the
    draws, 0 where a draw has none of it. `centre_0` and so on are in mm, or in elements of the input where no spacing is known:
    of a volume towards right, anterior and superior from the origin that its file states.
    """

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: `result` with `lesions`."""
        rows = [_row(number, lesion) for number, lesion in enumerate(study["result"].get("lesions") or [], start=1)]
        if rows:
            write_csv(folder / "lesions.csv", list(rows[0]), [row.values() for row in rows])

    @classmethod
    def example(cls) -> LesionsCsvWriter:
        """See `Writer.example`."""
        return cls()


def _row(number: int, lesion: Mapping[str, Any]) -> dict[str, Any]:
    draws = lesion["draws"]
    return {
        "lesion": number,
        "unit": lesion["unit"],
        "value": lesion["value"],
        "existence": lesion["existence"],
        "draws": draws["n"],
        "mean": draws["mean"],
        "sd": draws["sd"],
        "smallest": min(draws["values"]),
        "largest": max(draws["values"]),
        **{f"centre_{axis}": place for axis, place in enumerate(lesion["centre"])},
    }
