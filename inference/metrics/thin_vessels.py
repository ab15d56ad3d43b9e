"""Vessels along their centre lines: how many thin ones are found, and how thin they are drawn, by tercile of uncertainty.

The claim under test is Seo's (arXiv 1907.02940): where the network is unsure, vessels are drawn too thin.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt, label
from skimage.morphology import skeletonize

from .terciles import TERCILES, terciles

CONTRAST = "highest less lowest"
"""The claim as one number: below zero where what is unsure is missed, or drawn thinner, more than what is sure."""


def centre_line_widths(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre line of a mask and the local width along it.

    The width is 2 d - 1, d the distance to the nearest element outside: 1 for a line one or two elements wide (1.8 along
    its diagonal steps), 3 for three or four. So "width <= 2" means lines of 1 to 2 elements.

    Args:
        mask: bool (rows, columns).

    Returns:
        centre line, bool (rows, columns); width, float (rows, columns), meant on the centre line only.

    Source: thinning by Zhang and Suen 1984; Euclidean distance transform.
    """
    padded = np.pad(mask, 1)  # what lies beyond the picture is not vessel
    width = 2 * distance_transform_edt(padded) - 1
    return skeletonize(mask), width[1:-1, 1:-1]


def thin_vessels_by_tercile(
    prediction: np.ndarray,
    truth: np.ndarray,
    region: np.ndarray,
    uncertainty: np.ndarray,
    widest: float,
    reach: float,
    shortest: int = 1,
) -> dict[str, float]:
    """Recall and drawn width of the truth's centre line, for the thirds of it with the lowest to the highest uncertainty.

    Args:
        prediction, truth, region: bool (rows, columns).
        uncertainty: (rows, columns), read at the centre line's own elements.
        widest: centre-line elements up to this local width are looked at; infinity for all.
        reach: a predicted centre line at most this far away is the same vessel.
        shortest: runs of fewer such elements are left out: they are the ends of wide vessels, and spurs.

    Returns:
        "n": elements looked at; "recall", "recall lowest" ... "recall highest": share of them that the prediction covers;
        "width difference" and by tercile: mean of (drawn - true width), elements, over those that it covers. NaN where none.
        "recall highest less lowest", "width difference highest less lowest": the claim, see `CONTRAST`.
    """
    truth, prediction = truth & region, prediction & region
    line, width = centre_line_widths(truth)
    looked_at = without_short_runs(line & region & (width <= widest), shortest)
    found = prediction[looked_at]
    difference = drawn_width(prediction, reach)[looked_at] - width[looked_at]
    values = uncertainty[looked_at]
    third = terciles(values)
    if values.size and values.min() == values.max():
        third = np.full(values.size, -1)  # a constant map has no terciles
    out = {"n": float(looked_at.sum()), **recall_and_width(found, difference, "")}
    for number, name in enumerate(TERCILES):
        out |= recall_and_width(found[third == number], difference[third == number], f" {name}")
    for quantity in ("recall", "width difference"):
        out[f"{quantity} {CONTRAST}"] = out[f"{quantity} highest"] - out[f"{quantity} lowest"]
    return out


def without_short_runs(line: np.ndarray, shortest: int) -> np.ndarray:
    """Leave out connected runs of fewer than `shortest` elements. Args: line: bool (rows, columns). Returns: the same shape."""
    runs, _ = label(line, np.ones((3, 3)))
    sizes = np.bincount(runs.ravel())
    return line & (sizes >= shortest)[runs]


def recall_and_width(found: np.ndarray, difference: np.ndarray, suffix: str) -> dict[str, float]:
    """Recall and mean width difference of some elements. Args: (n,) each, difference NaN if none is drawn. Returns: by name."""
    drawn = difference[found & np.isfinite(difference)]
    return {
        f"recall{suffix}": float(found.mean()) if found.size else float("nan"),
        f"width difference{suffix}": float(drawn.mean()) if drawn.size else float("nan"),
    }


def drawn_width(prediction: np.ndarray, reach: float) -> np.ndarray:
    """Local width of the predicted vessel nearest to each element.

    Args:
        prediction: bool (rows, columns).
        reach: farthest centre line that counts, elements.

    Returns:
        float (rows, columns); NaN where no predicted centre line is within reach.
    """
    line, width = centre_line_widths(prediction)
    if not line.any():
        return np.full(prediction.shape, np.nan)
    distance, (rows, columns) = distance_transform_edt(~line, return_indices=True)
    return np.where(distance <= reach, width[rows, columns], np.nan)
