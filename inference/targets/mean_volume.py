"""Volume as the mean of several raters has it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from .volume import Volume


class MeanVolume(Volume):
    """As `Volume`; its truth is the mean of the volumes of all raters, not the volume of one."""

    def of_raters(self, values: Sequence[float]) -> float:
        return fmean(values)
