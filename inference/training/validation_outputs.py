"""What key metrics of a validation take of the studies that an evaluator hands over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from .slice_energy import slice_energy


def points_and_truths(studies: Sequence[Mapping[str, Any]]) -> tuple[torch.Tensor, torch.Tensor]:
    """The positions of all landmarks of all studies, and their truths: both (points, 2)."""
    stacked = [torch.cat([torch.as_tensor(study[key]).reshape(-1, 2) for study in studies]) for key in ("pred", "label")]
    return stacked[0], stacked[1]


def energy_of_slices(studies: Sequence[Mapping[str, Any]]) -> float:
    """See `slice_energy`, of the one study. Args: studies: with `pred_samples` and `label`, all raters."""
    return slice_energy(studies[0]["pred_samples"], studies[0]["label"])
