"""What a measurement would be if the reported mask were the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .measurement import Measurement
from .study_grid import element_of_grid
from .truths import Truth


def true_value(measurement: Measurement, truth: Truth, result: Mapping[str, Any]) -> float:
    """The measurement of a rater's labels, or of all raters' where the measurement is one of them, on the image's own grid.

    Args:
        measurement: of the bundle.
        truth: one rater's labels, and the others'.
        result: `result.json` of the study; its `input` says how large an element is.

    Returns:
        in the unit that the result states.
    """
    element = element_of_grid(result["input"]["affine"], result["input"], truth.labels.ndim)
    classes, inside = max(measurement.classes, default=0) + 1, int(truth.region.sum())
    counts = [np.bincount(labels.ravel(), minlength=classes).tolist() for labels in (truth.labels, *truth.others)]
    return measurement.of_raters([measurement.value(count, inside, element) for count in counts])
