"""Which space a DICOM object lies in, and how far its planes are apart."""

from __future__ import annotations

import hashlib

import numpy as np
from pydicom.dataset import Dataset

SAME_PLANE_MM = 0.01
"""Positions closer than this are one."""


def frame_of_reference(data: Dataset, keyword: str = "FrameOfReferenceUID") -> str:
    """sha256 of the identifier of a space, in hexadecimal; "" where there is none.

    Args:
        data: a header or an item of a sequence.
        keyword: of the element that holds it.
    """
    identifier = str(data.get(keyword) or "").strip(" \0")
    return hashlib.sha256(identifier.encode()).hexdigest() if identifier else ""


def smallest_step(places: np.ndarray, same_mm: float = SAME_PLANE_MM) -> float:
    """The smallest distance between different places along a line, mm; 0 where there is one alone.

    Args:
        places: (n,).
        same_mm: up to which they are one.
    """
    steps = np.diff(np.sort(places))
    steps = steps[steps > same_mm]
    return float(steps.min()) if len(steps) else 0.0


def height_of(step: float, thickness: float | None) -> float:
    """Of a plane of a region, mm: as it says, but no more than the step to the next one; planes may be left out, or overlap.

    Args:
        step: the smallest between two planes, 0 where there is one alone.
        thickness: as stated, None where it is not.

    Returns:
        0 where nothing is known.
    """
    return min((length for length in (step, thickness) if length and length > 0), default=0.0)
