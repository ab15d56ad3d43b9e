"""The entropy of each draw by itself."""

from __future__ import annotations

import math

import pytest
import torch

from caveat.inference.engine.block import Block
from caveat.inference.engine.study_grid import GridElement, StudyGrid
from caveat.inference.reducers.draw_entropy import DrawEntropy
from caveat.networks.draws.draw import first_draws

SURE = (1.0, 0.0, 0.0)
EVEN = (0.25, 0.5, 0.25)


def of_draws(*rows):
    """Args: rows: of each draw, a distribution of three classes for each element of a row."""
    values = torch.tensor(rows).movedim(-1, 1).unsqueeze(-1)  # (draws, classes, elements, 1)
    reducer = DrawEntropy()
    reducer.begin(StudyGrid(tuple(values.shape[2:]), 3, len(values), GridElement(1.0, "pixels", (1.0, 1.0))))
    reducer.update(Block(0, values), first_draws(len(values)), values)
    return reducer.finish({})


def test_each_draw_is_summed_over_all_and_divided_by_what_it_labels_as_structure():
    found = of_draws([EVEN, EVEN, SURE, SURE], [EVEN, (0.0, 1.0, 0.0), SURE, SURE])
    of_even = 1.5 * math.log(2)
    assert found.draw_scores["draw_entropy"] == pytest.approx([of_even, of_even / 2], abs=1e-6)
    assert found.study_scores["draw_entropy"] == pytest.approx(0.75 * of_even, abs=1e-6)


def test_a_draw_that_finds_nothing_has_none():
    found = of_draws([EVEN, SURE], [SURE, SURE])
    assert math.isnan(found.draw_scores["draw_entropy"][1]) and math.isnan(found.study_scores["draw_entropy"])
