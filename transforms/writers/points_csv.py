"""Landmarks as a table."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .csv_cells import write_csv
from .writer import Writer


class PointsCsvWriter(Writer):
    """points.csv: one row a landmark, its coordinates and the spread of the draws along each axis; no file without landmarks."""

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: `result` with `points`."""
        points = study["result"].get("points") or []
        if not points:
            return
        axes = range(len(points[0]["value"]))
        header = ["name", "unit", *(f"axis{a}" for a in axes), "draws", *(f"mean{a}" for a in axes), *(f"sd{a}" for a in axes)]
        write_csv(folder / "points.csv", header, [_row(point) for point in points])

    @classmethod
    def example(cls) -> PointsCsvWriter:
        """See `Writer.example`."""
        return cls()


def _row(point: Mapping[str, Any]) -> list[Any]:
    draws = point["draws"]
    spread = np.sqrt(np.diagonal(np.asarray(draws["covariance"], dtype=float))).tolist()
    return [point["name"], point["unit"], *map(float, point["value"]), draws["n"], *map(float, draws["mean"]), *spread]
