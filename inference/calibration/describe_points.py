"""A record of landmarks in a few numbers, for the eye."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .point_case import PointCase
from .point_record import PointRecord


def describe_points(record: PointRecord, cases: Sequence[PointCase]) -> dict[str, str]:
    """One row: shape, promise, n, unit, and per level the mean radius over landmarks and studies (of an ellipse that of the disc
    as large, sqrt(area / pi)).

    Args:
        cases: that the record was made of.

    Returns:
        cells by the column's title.
    """
    row = {"shape": record.shape.kind, "promise": record.promise, "n": str(record.n), "unit": record.unit}
    for level in record.levels:
        radius = np.mean([record.radii(case, level) for case in cases])
        row[f"mean radius {100 * level:g} %"] = f"{radius:.3g} mm"
    return row
