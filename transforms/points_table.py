"""Landmarks in a table: where raters placed them, in elements of the image's own grid."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from caveat.reasons import StudyRefused


def read_points(path: Path, rater: str, names: Sequence[str]) -> np.ndarray:
    """One rater's landmarks.

    Args:
        path: CSV with the columns rater, name, axis0, axis1 (and axis2 for volumes): grid positions, 0 is the middle of the
            first element.
        rater: whose rows are read.
        names: of the landmarks that are wanted.

    Returns:
        (landmarks, axes) float64, in the order of `names`.

    Raises:
        StudyRefused: NO_TRUTH: there is no such file. POINTS_INCOMPLETE: it is no such table, or the rater does not name each
            wanted landmark exactly once.
    """
    if not path.is_file():
        raise StudyRefused("NO_TRUTH", "the list names a table of points that is not there")
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row.get("rater") == rater and row.get("name") in names]
    found = {row["name"]: _position(row) for row in rows}
    if len(found) < len(names) or len(rows) > len(found):
        raise StudyRefused("POINTS_INCOMPLETE", f"{len(found)} of {len(names)} landmarks in {len(rows)} rows")
    return np.array([found[name] for name in names])


def _position(row: dict[str, str]) -> list[float]:
    try:
        position = [float(row[axis]) for axis in sorted(key for key in row if key.startswith("axis"))]
    except (TypeError, ValueError):
        position = []
    if len(position) not in (2, 3) or not all(map(math.isfinite, position)):
        raise StudyRefused("POINTS_INCOMPLETE", "a row without 2 or 3 finite coordinates")
    return position
