"""Intensities of a head in its own standard deviations: `StandardiseHeadd`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from caveat.reasons import StudyRefused

LOW, HIGH = 0.02, 0.98
"""Quantiles between which an image's intensities lie, but for what is as rare as it is extreme."""


class StandardiseHeadd(MapTransform):
    """Zero outside the head; inside, standard deviations above what is `below` of them under the head's mean.

    The head is what lies above a tenth of the way from the 2nd to the 98th percentile, as in Smith 2002 (BET). Air, and what is
    as dark, becomes 0 like the padding around the image; scanners' units, which differ from study to study, drop out.

    Args:
        keys: (channels, *spatial).
        share: of the way between the two percentiles, at which the head begins.
        below: standard deviations under the mean that become 0; darker voxels are cut there.
        above: standard deviations over the mean, where brighter voxels are cut.

    Raises:
        StudyRefused: CONSTANT_IMAGE: there is no contrast within what would be the head.
    """

    identity = "caveat.StandardiseHeadd/1"

    def __init__(self, keys: KeysCollection, share: float = 0.1, below: float = 2.5, above: float = 5.0) -> None:
        super().__init__(keys)
        self.share = share
        self.below = below
        self.above = above

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with the volumes. Returns: the same, standardised."""
        out = dict(data)
        for key in self.key_iterator(out):
            volume = out[key]
            low, high = quantiles(volume)
            head = volume > low + self.share * (high - low)
            values = volume[head].double()
            deviation = float(values.std()) if len(values) > 1 else 0.0
            if deviation == 0:
                raise StudyRefused("CONSTANT_IMAGE")
            standard = (volume - float(values.mean())) / deviation
            out[key] = (standard.clamp(-self.below, self.above) + self.below) * head
        return out


def quantiles(volume: torch.Tensor) -> tuple[float, float]:
    """The 2nd and the 98th percentile of all voxels: order statistics, since torch's quantile takes 16 million at most."""
    values = torch.as_tensor(volume).as_subclass(torch.Tensor).flatten()
    low, high = (values.kthvalue(1 + int(share * (len(values) - 1))).values for share in (LOW, HIGH))
    return float(low), float(high)
