"""How far the surfaces of two masks lie apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance, compute_surface_dice

PERCENTILE = 95


def surface_distances(prediction: np.ndarray, truth: np.ndarray, spacing: Sequence[float], tolerance: float) -> dict[str, float]:
    """Distances between the surfaces of two masks, by MONAI.

    Args:
        prediction, truth: bool (*spatial), 2 or 3 axes.
        spacing: of the elements, one number an axis.
        tolerance: of the surface Dice, in the spacing's unit.

    Returns:
        "average": mean over both surfaces of the distance to the other one. "hausdorff": the larger of the two directed 95 %
        distances. Both in the spacing's unit; NaN where a mask is empty: there is no surface to be far from. "dice": share of
        both surfaces, by area in 3-D and by length in 2-D, at most `tolerance` from the other one; 0 where one mask is empty,
        NaN where both are.

    Source: Heimann et al. 2009 (average symmetric distance); Huttenlocher et al. 1993; Nikolov et al. 2021 (surface Dice).
    """
    if not (prediction.any() and truth.any()):
        either = prediction.any() or truth.any()
        return {"average": float("nan"), "hausdorff": float("nan"), "dice": 0.0 if either else float("nan")}
    one, other = (torch.from_numpy(np.pad(mask, 1))[None, None] for mask in (prediction, truth))  # at the border: a surface too
    sizes = [float(size) for size in spacing]
    average = compute_average_surface_distance(one, other, include_background=True, symmetric=True, spacing=sizes)
    hausdorff = compute_hausdorff_distance(one, other, include_background=True, percentile=PERCENTILE, spacing=sizes)
    dice = compute_surface_dice(one, other, [tolerance], include_background=True, spacing=sizes, use_subvoxels=True)
    return {"average": float(average), "hausdorff": float(hausdorff), "dice": float(dice)}
