"""Every piece of the reported mask by itself: how likely it exists, how large it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from scipy import ndimage

from ...networks.draws.draw import Draw
from ..engine.block import Block
from ..engine.labels import labels_of
from ..engine.reducer import Reducer, Reduction
from ..engine.study_grid import StudyGrid
from ..targets.drawn import Drawn
from ..targets.piece import touching
from ..targets.target import Target
from .kept_masks import KeptMasks, piece_state


class Lesions(Reducer):
    """Connected pieces (touching by faces, edges or corners) of the reported mask, from large to small.

    A piece's existence is the share of the draws that have a voxel in it. Its volume in a draw is that of the draw's own pieces
    which touch it; where such a piece touches several, each voxel counts for the nearest one. A share of draws is no calibrated
    probability: docs of a bundle say what it was worth. Its `centre`, the mean place of its elements, lies outside a bent piece.

    Each draw is held as one bit an element until the mask of all of them is known.

    Args:
        measurement: of one piece, with the classes that are the structure.

    Raises:
        ValueError: a target that needs the mask: of pieces only the elements are counted.
    """

    needs = ("Moments",)

    def __init__(self, measurement: Target) -> None:
        if measurement.needs_mask:
            raise ValueError(f"pieces are counted, and {measurement.name} needs the mask")
        self.measurement = measurement

    def begin(self, study: StudyGrid) -> None:
        if study.overlapping:
            raise ValueError("pieces are those of a label map, in which overlapping classes hide each other")
        self._study = study
        self._drawn = KeptMasks(study.draws, study.size)

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        masks = self._is_structure(labels_of(values, axis=1))
        for draw, mask in zip(draws, masks, strict=True):
            self._drawn.put(draw.index, block.rows, mask)

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        reported = self._is_structure(labels_of(results["Moments"].maps["mean"], axis=0))
        pieces, count = ndimage.label(reported, touching(reported.ndim))
        sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
        in_draws = (
            np.stack([self._sizes_in(draw, pieces, count) for draw in range(len(self._drawn))]) if count else np.zeros((1, 0))
        )
        centres = ndimage.center_of_mass(reported, pieces, range(1, count + 1))
        order = np.argsort(-sizes, kind="stable")
        return Reduction(lesions=[self._state(sizes[piece], in_draws[:, piece], centres[piece]) for piece in order])

    def _sizes_in(self, draw: int, pieces: np.ndarray, count: int) -> np.ndarray:
        """Elements of each reported piece in one draw, 0 where the draw has none of it. Returns: int (count,)."""
        own, number = ndimage.label(self._drawn.mask(draw), touching(pieces.ndim))
        touches = np.zeros((number + 1, count + 1), bool)
        touches[own.ravel(), pieces.ravel()] = True
        touches = touches[1:, 1:]
        found = np.zeros(count, int)
        sizes = np.bincount(own.ravel(), minlength=number + 1)[1:]
        alone = touches.sum(axis=1) == 1
        np.add.at(found, touches[alone].argmax(axis=1), sizes[alone])
        for piece in np.flatnonzero(touches.sum(axis=1) > 1):
            found += _shared_out(own == piece + 1, pieces, np.flatnonzero(touches[piece]), count)
        return found

    def _is_structure(self, labels: torch.Tensor) -> np.ndarray:
        return np.isin(labels.cpu().numpy(), self.measurement.classes)

    def _state(self, size: int, in_draws: np.ndarray, centre: Sequence[float]) -> dict[str, Any]:
        volumes = [self._volume(int(number)) for number in in_draws]
        return piece_state(self.measurement.unit(self._study.element), self._volume(int(size)), volumes, centre)

    def _volume(self, elements: int) -> float:
        counts = [0] * self._study.classes
        counts[self.measurement.classes[0]] = elements
        return self.measurement.of(Drawn(self._study.element, counts, elements))

    @classmethod
    def example(cls) -> Lesions:
        from ..targets.area import Area

        return cls(Area("object", "Object", (1,)))


def _shared_out(piece: np.ndarray, pieces: np.ndarray, which: np.ndarray, count: int) -> np.ndarray:
    """Elements of one piece of a draw, each for the nearest of the reported pieces that it touches.

    Args:
        piece: bool (*spatial). pieces: numbers of the reported ones. which: of these, from 0, it touches.

    Returns:
        int (count,).
    """
    nearest = ndimage.distance_transform_edt(~np.isin(pieces, which + 1), return_distances=False, return_indices=True)
    owners = pieces[tuple(nearest)][piece]
    return np.bincount(owners, minlength=count + 1)[1:]
