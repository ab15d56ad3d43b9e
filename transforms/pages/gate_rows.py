"""What the gate said, as a person reads it; and study scores in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SCORES = {
    "pooled_pairwise_dice": ("Agreement of the draws", "pooled pairwise Dice, 1 at best"),
    "structure_entropy": ("Entropy of the structure", "nats for each voxel found"),
    "feature_distance": ("Distance from the training images", "of the network's features, Mahalanobis"),
    "noise": ("Noise", "standard deviation, where that of the prepared image is 1"),
    "relative_noise": ("Relative noise", "standard deviation, where that of the image is 1"),
    "blur": ("Blur", "0 sharp, 1 blurred, along the blurriest axis"),
    "mean_distance_to_mean": ("Spread of the draws", "mean distance from their mean, over the landmarks"),
    "heatmap_spread": ("Spread of the heat maps", "root of the trace of their covariance, over the landmarks"),
    "shading": ("Shading", "share of the contrast that is a ramp across the image"),
}
"""Title and unit or meaning of each score; one that is not here shows its name."""


@dataclass(frozen=True)
class GateRow:
    """One limit: what was looked at, the study's value, where calibration studies lie, and whether it is kept."""

    title: str
    meaning: str
    value: str
    limit: str
    passed: bool


def gate_rows(gate: Mapping[str, Any] | None) -> list[GateRow]:
    """Rows of the report's table. Args: gate: `gate` of a result, None where nothing judged the study."""
    return [_row(check) for check in gate["checks"]] if gate else []


def score_title(name: str) -> tuple[str, str]:
    """Title and meaning of a study score."""
    return SCORES.get(name, (name.replace("_", " ").capitalize(), ""))


def _row(check: Mapping[str, Any]) -> GateRow:
    title, meaning = score_title(check["name"])
    value = "missing" if check["value"] is None else f"{check['value']:.3g}"
    limit = f"{'at most' if check['direction'] == 'above' else 'at least'} {check['threshold']:.3g}"
    return GateRow(title, meaning, value, limit, check["passed"])
