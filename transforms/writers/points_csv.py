"""Landmarks as a table."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..files.answers import landmarks_of
from ..files.csv_cells import write_csv
from .writer import Writer


class PointsCsvWriter(Writer):
    """points.csv: one row a landmark; no file without landmarks.

    In the points' unit: its coordinates by axis, the draws' mean, and their standard deviation and that of the total covariance
    along each axis, the mean distance of the draws to their mean. In elements of the input's grid: `index0` and so on. Of its
    region, where a record says so: `level`, `radius` or `semi_axis0` and so on from the longest, how many units it was
    calibrated on, whose truth it promises, and the record's sha256; the same behind `simultaneous_` of the region for all
    landmarks at once. What one draw cannot tell is empty. A landmark that the image does not show has its name, and 1 under
    `outside_image`.
    """

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: `result` with `answers`."""
        points = landmarks_of(study["result"])
        if points:
            rows = [_row(point) for point in points]
            write_csv(folder / "points.csv", list(rows[0]), [row.values() for row in rows])

    @classmethod
    def example(cls) -> PointsCsvWriter:
        """See `Writer.example`."""
        return cls()


def _row(point: Mapping[str, Any]) -> dict[str, Any]:
    """Cells by column."""
    draws, axes = point["draws"], range(len(point["draws"]["mean"]))
    unknown = [None] * len(axes)
    outside = bool(point["outside_image"])
    spread = unknown if draws["covariance"] is None else _deviations(draws["covariance"])
    numbers = {
        **_by_axis("axis", draws["mean"]),
        **_by_axis("index", point["index_on_input_grid"]),
        "draws": draws["n"],
        **_by_axis("mean", draws["mean"]),
        **_by_axis("sd", spread),
        **_by_axis("total_sd", _deviations(point["total_covariance"])),
        "mean_distance_to_mean": point["mean_distance_to_mean"],
        "heatmap_activation": point["heatmap_activation"],
        **_of_region("", point["region"], len(axes)),
        **_of_region("simultaneous_", point["simultaneous_region"], len(axes)),
    }
    known = dict.fromkeys(numbers) if outside else numbers
    return {"name": point["name"], "unit": point["unit"], "outside_image": int(outside), **known}


def _of_region(prefix: str, region: Mapping[str, Any] | None, axes: int) -> dict[str, Any]:
    """Cells of a region; the columns are there without one."""
    known = region or {}
    cells = {
        "level": known.get("level"),
        "radius": known.get("radius"),
        **_by_axis("semi_axis", known.get("semi_axes", [None] * axes)),
        "calibrated_on": known.get("n"),
        "truth": known.get("truth"),
        "record": known.get("record"),
    }
    return {f"{prefix}{name}": cell for name, cell in cells.items()}


def _by_axis(name: str, values: Sequence[float | None]) -> dict[str, float | None]:
    return {f"{name}{axis}": value for axis, value in enumerate(values)}


def _deviations(covariance: Sequence[Sequence[float]]) -> list[float]:
    return np.sqrt(np.diagonal(np.asarray(covariance, dtype=float))).tolist()
