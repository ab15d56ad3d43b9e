"""What writers read of a study: plain arrays and plain values."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch


def array_of(study: Mapping[Hashable, Any], key: str) -> np.ndarray:
    """The values under a key. Returns: an array that shares no device and no metadata with the study."""
    value = study[key]
    return value.detach().cpu().as_subclass(torch.Tensor).numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def affine_of(study: Mapping[Hashable, Any]) -> np.ndarray:
    """The affine of the grid that everything of a study shares. Returns: (4, 4) float64, voxel to mm, or pixel to pixel."""
    return np.asarray(study["input"].affine, dtype=np.float64).reshape(4, 4)


def meta_of(study: Mapping[Hashable, Any]) -> dict[str, Any]:
    """Facts about the input, as plain values: batching turns numbers into tensors."""
    return {str(key): plain(value) for key, value in study["input"].meta.items()}


def is_picture(study: Mapping[Hashable, Any]) -> bool:
    """Whether the input has rows and columns alone, which is answered with pictures; volumes are answered with NIfTI."""
    return study["input"].ndim == 3  # channels first


def foreground_probability(study: Mapping[Hashable, Any]) -> np.ndarray:
    """Probability of each class that says something new. Returns: (1, *spatial) of two classes, else (classes, *spatial)."""
    probability = array_of(study, "probability")
    return probability[1:] if len(probability) == 2 else probability


def plain(value: Any) -> Any:
    """Tensors, arrays and tuples as numbers and lists, whatever the depth."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().tolist()
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
