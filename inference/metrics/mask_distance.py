"""Distance between masks, 1 - IoU, over all pairs of draws and raters of a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .pairwise_iou import pairwise_iou

Absent = Literal["zero", "nan"]
"""A class that is in neither mask: they agree, d = 0; or "nan", it is left out of the mean over classes."""


@dataclass(frozen=True)
class MaskDistances:
    """All that the metrics of a distribution over masks need.

    Args:
        cross: (N, M), each draw to each rater.
        draws: (N, N), between draws.
        raters: (M, M), between raters.
    """

    cross: np.ndarray
    draws: np.ndarray
    raters: np.ndarray

    def first(self, draws: int) -> MaskDistances:
        """As if only the first draws had been made. Raises: ValueError: there are fewer, or none is asked for."""
        if not 1 <= draws <= len(self.cross):
            raise ValueError(f"{draws} draws of {len(self.cross)}")
        return MaskDistances(self.cross[:draws], self.draws[:draws, :draws], self.raters)


def mask_distance(
    first: np.ndarray, second: np.ndarray, classes: Sequence[int] | None = None, absent: Absent = "zero"
) -> np.ndarray:
    """1 - IoU of each mask of one set with each of another, mean over classes.

    Args:
        first, second, classes: as in `pairwise_iou`.
        absent: what a class counts that is in neither mask. Figures of different conventions cannot be compared.

    Returns:
        float64 (N, M), 0 to 1; a class in one mask only counts 1. With "nan", NaN for a pair without any of the classes.

    Raises:
        ValueError: as `pairwise_iou`.

    Source: "zero" as Baumgartner et al. 2019 and Monteiro et al. 2020 on LIDC; "nan" as Kohl et al. 2018 on Cityscapes.
    """
    distance = 1 - pairwise_iou(first, second, classes)
    defined = ~np.isnan(distance)
    counted = defined.sum(axis=0) if absent == "nan" else np.full(distance.shape[1:], len(distance))
    total = np.where(defined, distance, 0).sum(axis=0)
    return np.divide(total, counted, out=np.full_like(total, np.nan), where=counted > 0)


def mask_distances(
    draws: np.ndarray, raters: np.ndarray, classes: Sequence[int] | None = None, absent: Absent = "zero"
) -> MaskDistances:
    """Distances of all pairs, found once and good for every number of draws.

    Args:
        draws: (N, *spatial), bool or integer labels.
        raters: (M, *spatial), the same.
        classes, absent: as in `mask_distance`.

    Raises:
        ValueError: as `pairwise_iou`.
    """
    return MaskDistances(
        cross=mask_distance(draws, raters, classes, absent),
        draws=mask_distance(draws, draws, classes, absent),
        raters=mask_distance(raters, raters, classes, absent),
    )
