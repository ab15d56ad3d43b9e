"""Every object of the reported mask by itself: in how many draws it is found, how large it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from scipy import ndimage

from caveat.reasons import StudyRefused

from ...networks.draws.draw import Draw
from ..engine.block import Block
from ..engine.labels import labels_of
from ..engine.reducer import Reducer, Reduction
from ..engine.study_grid import StudyGrid
from ..metrics.object_overlap import object_iou
from ..targets.object_area import ObjectArea
from ..targets.tell_apart import at_border, tell_apart
from .kept_masks import KeptMasks, piece_state

MOST = 65_535
"""That 16 bits can number."""
SAME = 0.5
"""IoU above which an object of a draw is that of the reported mask: no two can be."""


class Objects(Reducer):
    """Objects that touch are told apart, in the reported mask and in every draw; map `objects`, (1, *spatial), their numbers.

    An object's existence is the share of the draws that have one of an IoU above a half with it; its size in a draw is that
    one's. A share of draws is no calibrated probability. Numbers and entries run from large to small; `cut` says whether the
    picture's border cuts the object.

    Each draw is held as one bit an element until the mask of all of them is known.

    Args:
        measurement: area of the objects, with the classes that are the structure.

    Raises:
        StudyRefused: NOT_THIS_KIND, in `finish`: more objects than 16 bits can number.
    """

    needs = ("Moments",)

    def __init__(self, measurement: ObjectArea) -> None:
        self.measurement = measurement

    def begin(self, study: StudyGrid) -> None:
        if study.overlapping:
            raise ValueError("objects are those of a label map, in which overlapping classes hide each other")
        self._study = study
        self._drawn = KeptMasks(study.draws, study.size)

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        masks = np.isin(block.labels.cpu().numpy(), self.measurement.classes)
        for draw, mask in zip(draws, masks, strict=True):
            self._drawn.put(draw.index, block.rows, mask)

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        labels = labels_of(results["Moments"].maps["mean"], axis=0).cpu().numpy()
        reported = _from_large_to_small(tell_apart(np.isin(labels, self.measurement.classes)))
        own = np.bincount(reported.ravel())[1:]
        if len(own) > MOST:
            raise StudyRefused("NOT_THIS_KIND", f"{len(own)} objects, at most {MOST} can be numbered")
        numbers = range(1, len(own) + 1)
        areas = np.stack([self._areas_in(draw, reported) for draw in range(len(self._drawn))])  # (draws, objects)
        centres, cut = ndimage.center_of_mass(reported > 0, reported, numbers), set(at_border(reported).tolist())
        stated = [
            self._state(int(own[index]), areas[:, index], centres[index]) | {"cut": number in cut}
            for index, number in enumerate(numbers)
        ]
        return Reduction(maps={"objects": torch.from_numpy(reported)[None].float()}, lesions=stated)

    def _areas_in(self, draw: int, reported: np.ndarray) -> np.ndarray:
        """Elements of each reported object in one draw, 0 where the draw does not have it. Returns: int (objects,)."""
        own = tell_apart(self._drawn.mask(draw))
        matches = object_iou(reported, own) > SAME
        return matches @ np.bincount(own.ravel(), minlength=matches.shape[1] + 1)[1:]

    def _state(self, size: int, in_draws: np.ndarray, centre: Sequence[float]) -> dict[str, Any]:
        element = self._study.element
        areas = [float(number * element.size) for number in in_draws]
        return piece_state(self.measurement.unit(element), float(size * element.size), areas, centre)

    @classmethod
    def example(cls) -> Objects:
        return cls(ObjectArea("object", "Object", (1,)))


def _from_large_to_small(objects: np.ndarray) -> np.ndarray:
    """The same objects, the largest numbered 1; of equal ones the first stays first."""
    areas = np.bincount(objects.ravel(), minlength=1)[1:]
    numbers = np.zeros(len(areas) + 1, objects.dtype)
    numbers[1 + np.argsort(-areas, kind="stable")] = np.arange(1, len(areas) + 1)
    return numbers[objects]
