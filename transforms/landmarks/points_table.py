"""Landmarks in a table: where raters placed them, in elements of the image's own grid."""

from __future__ import annotations

import csv
import math
import os
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
    rows = [row for row in _rows(path) if row.get("rater") == rater and row.get("name") in names]
    found = {row["name"]: _position(row) for row in rows}
    if len(found) < len(names) or len(rows) > len(found):
        raise StudyRefused("POINTS_INCOMPLETE", f"{len(found)} of {len(names)} landmarks in {len(rows)} rows")
    return np.array([found[name] for name in names])


def read_all_points(path: Path) -> tuple[list[tuple[str, str]], np.ndarray]:
    """Every row of a table of landmarks.

    Args:
        path: see `read_points`.

    Returns:
        rater and name of each row; positions (rows, axes) float64.

    Raises:
        StudyRefused: NO_TRUTH, POINTS_INCOMPLETE: as `read_points`, or there is no row.
    """
    rows = _rows(path)
    if not rows or not all(row.get("rater") and row.get("name") for row in rows):
        raise StudyRefused("POINTS_INCOMPLETE", f"{len(rows)} rows, each of which needs a rater and a name")
    return [(row["rater"], row["name"]) for row in rows], np.array([_position(row) for row in rows])


def refuse_other_axes(points: np.ndarray, axes: int) -> None:
    """Refuse landmarks of a volume for a picture, and the other way round.

    Args:
        points: (landmarks, axes). axes: of the image.

    Raises:
        StudyRefused: POINTS_INCOMPLETE.
    """
    if points.shape[-1] != axes:
        raise StudyRefused("POINTS_INCOMPLETE", f"{points.shape[-1]} coordinates a point, and an image of {axes} axes")


def write_points(path: Path, about: Sequence[tuple[str, str]], positions: np.ndarray) -> None:
    """Write a table that `read_points` reads. Args: about: rater and name of each row. positions: (rows, axes), in elements."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["rater", "name", *(f"axis{axis}" for axis in range(positions.shape[1]))])
        table.writerows([*names, *map(repr, row)] for names, row in zip(about, positions.round(4).tolist(), strict=True))


def _rows(path: Path) -> list[dict[str, str]]:
    if not os.path.isfile(path):
        raise StudyRefused("NO_TRUTH", "the list names a table of points that is not there")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # spreadsheet programs write a mark before the first title
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        raise StudyRefused("POINTS_INCOMPLETE", "a table that is no CSV in UTF-8") from None
    if any(None in row for row in rows):
        raise StudyRefused("POINTS_INCOMPLETE", "a row of more cells than there are titles")
    return rows


def _position(row: dict[str, str]) -> list[float]:
    try:
        position = [float(row[axis]) for axis in sorted(key for key in row if key.startswith("axis"))]
    except (TypeError, ValueError):
        position = []
    if len(position) not in (2, 3) or not all(map(math.isfinite, position)):
        raise StudyRefused("POINTS_INCOMPLETE", "a row without 2 or 3 finite coordinates")
    return position
