"""Lesions as a table."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from ..files.csv_cells import write_csv
from .writer import Writer


class LesionsCsvWriter(Writer):
    """lesions.csv, or objects.csv: one row a piece of the reported mask, from large to small; no file where there is none.

    `existence` is the share of the draws that have a part of it; `mean`, `sd`, `smallest` and `largest` are of its size in the
    draws, 0 where a draw has none of it. `centre_0` and so on are in mm, or in elements of the input where no spacing is known:
    of a volume towards right, anterior and superior from the origin that its file states. Of objects that were told apart the
    number is that of their map, and `cut` is 1 where the picture's border cuts one.

    Args:
        piece: what a row is called; the file has its plural.
    """

    def __init__(self, piece: str = "lesion") -> None:
        self.piece = piece

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: `result` with `lesions`."""
        pieces = study["result"].get("lesions") or []
        rows = [{self.piece: number} | _row(lesion) for number, lesion in enumerate(pieces, start=1)]
        if rows:
            write_csv(folder / f"{self.piece}s.csv", list(rows[0]), [row.values() for row in rows])

    @classmethod
    def example(cls) -> LesionsCsvWriter:
        """See `Writer.example`."""
        return cls()


def _row(lesion: Mapping[str, Any]) -> dict[str, Any]:
    draws = lesion["draws"]
    return {
        "unit": lesion["unit"],
        "value": lesion["value"],
        "existence": lesion["existence"],
        "draws": draws["n"],
        "mean": draws["mean"],
        "sd": draws["sd"],
        "smallest": min(draws["values"]),
        "largest": max(draws["values"]),
        **{f"centre_{axis}": place for axis, place in enumerate(lesion["centre"])},
        **({"cut": int(lesion["cut"])} if "cut" in lesion else {}),
    }
