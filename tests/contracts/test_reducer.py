"""What every reducer must keep: any cut into blocks and chunks gives the statistic of the whole stack."""

from __future__ import annotations

import json

import pytest
import torch
from discover import concrete_subclasses

from caveat.inference.engine.block import Block
from caveat.inference.engine.inferer import in_order_of_needs
from caveat.inference.engine.reducer import Reducer
from caveat.inference.engine.study_grid import GridElement, StudyGrid
from caveat.inference.reducers.moments import Moments
from caveat.networks.draws.draw import first_draws

REDUCERS = concrete_subclasses(Reducer, "caveat.inference")
DRAWS, CLASSES = 6, 3


def reduce(reducer_class, values, row_cuts, draw_cuts):
    """Run a reducer, with what it needs, over a stack cut in a given way."""
    reducers = [reducer_class.example()]
    if "Moments" in reducers[0].needs:
        reducers = in_order_of_needs([*reducers, Moments()])
    grid = StudyGrid(tuple(values.shape[2:]), CLASSES, len(values), GridElement(0.5, "mm2", (0.5, 1.0, 1.0)[: values.ndim - 2]))
    for reducer in reducers:
        reducer.begin(grid)
    draws = first_draws(len(values))
    for group in torch.arange(len(values)).split(draw_cuts):
        chunk = [draws[index] for index in group]
        start = 0
        for rows in values[group].split(row_cuts, dim=2):
            block = Block(start, rows)
            start = block.stop
            for reducer in reducers:
                if not reducer.whole_study:
                    reducer.update(block, chunk, rows)
        for reducer in reducers:
            if reducer.whole_study:
                reducer.update(Block(0, values[group]), chunk, values[group])
    results = {}
    for reducer in reducers:
        results[reducer.name] = reducer.finish(results)
    return results[reducer_class.example().name]


def stack(dimensions: int) -> torch.Tensor:
    size = (13, 9, 7)[:dimensions]
    generator = torch.Generator().manual_seed(5)
    return (3 * torch.randn(DRAWS, CLASSES, *size, generator=generator)).softmax(dim=1)


def test_there_are_reducers():
    assert len(REDUCERS) >= 6


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("row_cuts,draw_cuts", [([1] * 13, [1] * 6), ([5, 8], [4, 2]), ([2, 2, 9], [1, 5])])
@pytest.mark.parametrize("reducer_class", REDUCERS, ids=lambda c: c.__name__)
def test_any_cut_equals_the_whole_stack(reducer_class, row_cuts, draw_cuts, dimensions):
    values = stack(dimensions)
    whole = reduce(reducer_class, values, [13], [DRAWS])
    cut = reduce(reducer_class, values, row_cuts, draw_cuts)
    assert cut.maps.keys() == whole.maps.keys()
    for name, expected in whole.maps.items():
        torch.testing.assert_close(cut.maps[name], expected, atol=1e-6, rtol=0)
    facts = [json.dumps([r.answers, r.lesions, r.study_scores]) for r in (cut, whole)]
    assert facts[0] == facts[1]
    assert whole.maps or whole.answers or whole.lesions or whole.study_scores


@pytest.mark.parametrize("reducer_class", REDUCERS, ids=lambda c: c.__name__)
def test_a_second_study_starts_afresh(reducer_class):
    values = stack(2)
    reducer, other = reducer_class.example(), reducer_class.example()
    moments = Moments()
    grid = StudyGrid((13, 9), CLASSES, DRAWS, GridElement(1.0, "pixels", (1.0, 1.0)))
    for run, used in enumerate((reducer, reducer, other)):
        used.begin(grid)
        moments.begin(grid)
        rows = values if run else values.flip(1)
        block = Block(0, rows)
        used.update(block, first_draws(DRAWS), rows)
        moments.update(block, first_draws(DRAWS), rows)
        result = used.finish({"Moments": moments.finish({})})
        if run == 1:
            second = result
    assert all(torch.equal(second.maps[name], result.maps[name]) for name in result.maps)
    assert (second.answers, second.study_scores) == (result.answers, result.study_scores)
