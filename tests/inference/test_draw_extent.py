"""The extent of each draw by itself."""

from __future__ import annotations

import pytest
import torch

from caveat.inference.engine.block import Block
from caveat.inference.engine.study_grid import GridElement, StudyGrid
from caveat.inference.reducers.draw_extent import DrawExtent
from caveat.networks.draws.draw import first_draws


def test_any_structure_counts_in_every_block():
    labels = torch.tensor([[0, 1, 2, 2], [0, 0, 0, 0]])  # (draws, elements)
    values = torch.nn.functional.one_hot(labels, 3).movedim(-1, 1).unsqueeze(-1).float()
    reducer = DrawExtent()
    reducer.begin(StudyGrid((4, 1), 3, 2, GridElement(0.5, "mm2", (1.0, 0.5))))
    for start in (0, 2):
        reducer.update(Block(start, values[:, :, start : start + 2]), first_draws(2), values[:, :, start : start + 2])
    found = reducer.finish({})
    assert found.draw_scores["draw_extent"] == [1.5, 0.0]
    assert found.study_scores["draw_extent"] == pytest.approx(0.75)
