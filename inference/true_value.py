"""What a measurement would be if the reported mask were the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .measurement import Measurement
from .study_grid import element_of_grid
from .truths import Truth


def true_value(measurement: Measurement, truth: Truth, result: Mapping[str, Any]) -> float:
    """The measurement of a rater's labels, on the image's own grid.

    Args:
        measurement: of the bundle.
        truth: one rater's labels.
        result: `result.json` of the study; its `input` says how large an element is.

    Returns:
        in the unit that the result states.
    """
    counts = np.bincount(truth.labels.ravel(), minlength=max(measurement.classes, default=0) + 1).tolist()
    element = element_of_grid(result["input"]["affine"], result["input"], truth.labels.ndim)
    return measurement.value(counts, int(truth.region.sum()), element)
