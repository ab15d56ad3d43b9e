"""Truths in which a rater told the objects apart: each has its own number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .stored_study import StoredStudy
from .truths import MaskTruths, Truth, on_grid


class ObjectTruths(MaskTruths):
    """Masks of one structure whose values are the numbers of its objects, of one rater; every object is class 1.

    Args:
        rater: his name.
    """

    def __init__(self, rater: str = "truth") -> None:
        super().__init__((rater,))

    def read(self, entry: Mapping[str, Any], dataset_dir: Path, study: StoredStudy) -> list[Truth]:
        """See `MaskTruths.read`; what lies outside the region is no object."""
        (truth,) = super().read(entry, dataset_dir, study)
        label = entry["label"] if isinstance(entry["label"], str) else entry["label"][0]
        stored = on_grid(dataset_dir / label, study) * truth.region
        numbers = np.unique(stored, return_inverse=True)[1].reshape(stored.shape) + (not (stored == 0).any())
        return [replace(truth, numbered=numbers.astype(np.int32))]
