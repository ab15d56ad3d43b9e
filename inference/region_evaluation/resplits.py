"""Many random divisions of the unseen units into calibration and evaluation, see `interval_evaluation.resplits`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..calibration.point_case import PointCase
from ..calibration.point_record import PointRecord
from ..calibration.quantile import miss_rate
from ..calibration.regions import region_quantiles
from ..interval_evaluation.resplits import divisions, spans
from .settings import RegionEvaluation


def region_resplits(record: PointRecord, pool: Sequence[PointCase], n: int, settings: RegionEvaluation) -> list[dict[str, Any]]:
    """Calibrate anew on n random units and look at the others, with the record's shape, promise and checks.

    Args:
        pool: one case a unit, with truths; none of them seen in training.
        n: calibration units of each division.

    Returns:
        entries as of `resplits`; the coverage of marginal regions is the mean over the landmarks.
    """
    scores = np.array([record.shape.scores(case) for case in pool])
    if record.promise == "simultaneous":
        scores = scores.max(axis=1, keepdims=True)
    found: dict[tuple[float, bool], list[float]] = {}
    for gated, kept, checked in divisions(record.gate, pool, n, settings.resplits, settings.seed):
        for level in settings.levels:
            if checked and len(kept) >= record.needed(level):
                reaches = region_quantiles(scores[kept], miss_rate(level), simultaneous=False)
                found.setdefault((level, gated), []).append(float((scores[checked] <= reaches).mean()))
    return spans(found, n, len(pool))
