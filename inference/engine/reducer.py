"""Reducer: a statistic of the draws that never holds them all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from ...networks.draws.draw import Draw
from .block import Block
from .study_grid import StudyGrid


@dataclass
class Reduction:
    """What a reducer gives at the end.

    Args:
        maps: name to tensor (channels, *spatial) on the network grid; kept draws are (draws, classes, *spatial).
        answers: entries of `result.json`'s `answers`.
        lesions: entries of `result.json`'s `lesions`, from large to small; `centre` is an index on the network grid.
        study_scores: name to number.
        draw_scores: name to one number a draw, in the order of the draws; their mean is the study score of that name.
    """

    maps: dict[str, torch.Tensor] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)
    lesions: list[dict[str, Any]] = field(default_factory=list)
    study_scores: dict[str, float] = field(default_factory=dict)
    draw_scores: dict[str, list[float]] = field(default_factory=dict)


class Reducer(ABC):
    """Sees every block of every chunk of draws once, in any cut, and gives the statistic of the whole stack.

    The contract, held by tests/contracts/test_reducer.py for every concrete subclass: any cut of the study into blocks
    and of the draws into chunks gives the statistic of the whole stack to 1e-6; memory does not grow with the number of draws,
    but for what is kept on request.

    Attributes:
        needs: reducers (by `name`) whose results `finish` reads.
        whole_study: `update` wants each draw's study in one block.
    """

    needs: tuple[str, ...] = ()
    whole_study: bool = False

    @property
    def name(self) -> str:
        """The name others use in `needs`: the class's name."""
        return type(self).__name__

    @abstractmethod
    def begin(self, study: StudyGrid) -> None:
        """Forget the last study; make room for this one."""

    @abstractmethod
    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        """Take in a block. Args: block: also has the draws' labels. values: its own, (draws, classes, rows, *other axes),
        probabilities, float32."""

    def state(self, values: torch.Tensor) -> None:
        """Take in what is stated in place of the mean over the draws, if anything is; after the last block. Args: values:
        (classes, *spatial), probabilities, float32."""
        return

    @abstractmethod
    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        """The statistic of all draws. Args: results: of the reducers named in `needs`."""

    @classmethod
    @abstractmethod
    def example(cls) -> Reducer:
        """A small instance for the contract tests."""
