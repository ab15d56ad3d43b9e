"""probability.dcm: the probability of each class as a fractional DICOM segmentation."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from ..files.arrays import array_of
from .dicom_segmentation import DicomSegmentationWriter


class DicomProbabilityWriter(DicomSegmentationWriter):
    """A segment a class as `DicomSegmentationWriter`, with its mean probability over the draws in 255 steps.

    A viewer may show it; nothing is to be measured of it, since rounding moves a sum of small probabilities by a per cent.

    Args:
        codes: `dicom` of the bundle's metadata.
    """

    name = "probability.dcm"
    key = "probability"
    about = {"series_number": 904, "series_description": "RESEARCH caveat probability", "fractional_type": "PROBABILITY"}

    def __init__(self, codes: Mapping[str, Any]) -> None:
        super().__init__(codes)
        self.kind = "FRACTIONAL"

    def values(self, study: Mapping[Hashable, Any]) -> np.ndarray:
        return np.moveaxis(array_of(study, "probability")[1:], 0, -1).astype(np.float32).clip(0, 1)
