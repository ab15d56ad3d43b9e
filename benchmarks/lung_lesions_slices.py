"""Slices of the lung lesion benchmark: what lung_lesions_draws.py stored, case by case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from frame import ROOT

OUT = ROOT / "out" / "lung_lesions"


@dataclass(frozen=True)
class Slice:
    """A slice on which some rater drew.

    Args:
        name: nodule and number of the slice. unit: patient.
        draws: bool (N, x, y). raters: bool (M, x, y). probability: mean over the draws, (x, y).
    """

    name: str
    unit: str
    draws: np.ndarray
    raters: np.ndarray
    probability: np.ndarray


def slices_of(folder: Path) -> Iterator[Slice]:
    """Every slice with an outline, in the order of the nodules. Args: folder: of a part and a sampler."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as stored:
            draws, raters, probability, unit = (stored[name] for name in ("draws", "raters", "probability", "unit"))
        for number in np.flatnonzero(raters.any(axis=(0, 1, 2))):
            masks = (draws[..., number], raters[..., number])
            yield Slice(f"{path.stem} slice {number}", str(unit), *masks, probability[..., number].astype(float))
