"""How unsure a network is of a study, in numbers by which images are served for annotation."""

from __future__ import annotations

import numpy as np

from ..api.result import Result

DISAGREEMENT, INFORMATION, WIDTH = "disagreement", "mutual_information", "interval_width"
DOUBTS = {
    DISAGREEMENT: "where the draws disagree most: 1 - pooled pairwise Dice, or the distance of landmarks to their mean",
    INFORMATION: "where the draws' mutual information is highest, in the mean over what may be the structure",
    WIDTH: "where the calibrated interval is widest, as a share of the value",
}
"""Name to meaning; a higher number is more doubt."""
MAY_BE = 0.05
"""Probability of any class from which on a voxel belongs to the region of interest."""


def doubts_of(result: Result) -> dict[str, float | None]:
    """Every number by its name; None where the bundle or this study has none."""
    return {DISAGREEMENT: disagreement(result), INFORMATION: information(result), WIDTH: width(result)}


def disagreement(result: Result) -> float | None:
    """From the study scores."""
    scores = result.to_dict()["study_scores"]
    if "pooled_pairwise_dice" in scores:
        return 1.0 - scores["pooled_pairwise_dice"]
    return scores.get("mean_distance_to_mean")


def information(result: Result) -> float | None:
    """Nats a voxel; 0 where nothing may be the structure, and draws agree on that."""
    if "mutual_information" not in result.maps or "probability" not in result.maps:
        return None
    inside = np.asarray(result.maps["probability"])[0] <= 1 - MAY_BE
    return float(np.asarray(result.maps["mutual_information"])[0][inside].mean()) if inside.any() else 0.0


def width(result: Result) -> float | None:
    """Of the first answer that has an interval with two ends."""
    for answer in result.answers.values():
        if answer.interval is not None and None not in answer.interval and answer.value:
            lower, upper = answer.interval
            return (upper - lower) / abs(answer.value)  # type: ignore[operator, arg-type]
    return None
