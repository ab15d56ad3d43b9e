"""IoU of draws and raters matched one to one."""

from __future__ import annotations

from math import lcm

import numpy as np
from scipy.optimize import linear_sum_assignment

from .mask_distance import MaskDistances


def hungarian_iou(distances: MaskDistances) -> float:
    """Mean IoU of the best matching, both sets repeated to their least common multiple.

    Every draw and every rater counts equally: a sampler cannot win by one good draw, or by leaving a rater out.

    Args:
        distances: of draws and raters; 1 - d is the IoU, 1 for two empty masks with the convention "zero".

    Returns:
        0 to 1, 1 where the draws are the raters' masks in their proportion; NaN where a distance is NaN.

    Source: Kohl et al. 2019 (hierarchical probabilistic U-Net), Hungarian-matched IoU.
    """
    if np.isnan(distances.cross).any():
        return float("nan")
    draws, raters = distances.cross.shape
    size = lcm(draws, raters)
    repeated = np.tile(1 - distances.cross, (size // draws, size // raters))
    return float(repeated[linear_sum_assignment(repeated, maximize=True)].mean())
