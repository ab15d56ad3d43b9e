"""Each statistic against its definition, written out over the whole stack."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
import torch

from caveat.inference.engine.block import Block
from caveat.inference.engine.study_grid import GridElement, StudyGrid
from caveat.inference.reducers.agreement import Agreement
from caveat.inference.reducers.doubt import Doubt
from caveat.inference.reducers.extent import Extent
from caveat.inference.reducers.information import Information
from caveat.inference.reducers.lesions import Lesions
from caveat.inference.reducers.lowest_probability import LowestProbability
from caveat.inference.reducers.moments import Moments
from caveat.inference.targets.area import Area
from caveat.inference.targets.area_share import AreaShare
from caveat.inference.targets.drawn import Drawn
from caveat.inference.targets.volume import Volume
from caveat.networks.draws.draw import first_draws


def run(values, *reducers, region=None, element=None):
    grid = StudyGrid(tuple(values.shape[2:]), values.shape[1], len(values), element or GridElement(1.0, "pixels"), region)
    results = {}
    for reducer in reducers:
        reducer.begin(grid)
        reducer.update(Block(0, values), first_draws(len(values)), values)
        results[reducer.name] = reducer.finish(results)
    return results


def binary(*foreground: float) -> torch.Tensor:
    p = torch.tensor(foreground).reshape(-1, 1, 1, 1)
    return torch.cat([1 - p, p], dim=1)


def test_golden_information_of_two_draws():
    maps = run(binary(0.9, 0.5), Moments(), Information())
    information = maps["Information"].maps
    assert float(information["entropy"]) == pytest.approx(0.610864, abs=1e-6)
    assert float(information["expected_entropy"]) == pytest.approx(0.509115, abs=1e-6)
    assert float(information["mutual_information"]) == pytest.approx(0.101749, abs=1e-6)
    assert float(information["variance_within"]) == pytest.approx(0.17, abs=1e-6)
    assert float(maps["Moments"].maps["variance"]) == pytest.approx(0.04, abs=1e-6)


def test_the_two_variances_add_up_to_that_of_the_mean():
    """Kwon's split: for two classes within + between = p (1 - p) of the mean."""
    values = binary(0.1, 0.35, 0.8, 0.93)
    maps = run(values, Moments(), Information())
    mean = float(values.mean(0)[1])
    total = maps["Information"].maps["variance_within"] + maps["Moments"].maps["variance"]
    assert float(total) == pytest.approx(mean * (1 - mean), abs=1e-6)


def test_certain_draws_have_no_entropy_and_disagreement_is_ln_2():
    information = run(binary(1.0, 0.0), Moments(), Information())["Information"].maps
    assert float(information["expected_entropy"]) == 0
    assert float(information["mutual_information"]) == pytest.approx(math.log(2), abs=1e-6)


def test_pooled_pairwise_dice_is_that_of_all_pairs():
    generator = torch.Generator().manual_seed(0)
    values = (2 * torch.randn(5, 3, 8, 9, generator=generator)).softmax(1)
    labels = values.argmax(1).numpy()
    common = sum(2 * int(((a == k) & (b == k)).sum()) for a, b in combinations(labels, 2) for k in (1, 2))
    sizes = sum(int((a == k).sum() + (b == k).sum()) for a, b in combinations(labels, 2) for k in (1, 2))
    score = run(values, Agreement())["Agreement"].study_scores["pooled_pairwise_dice"]
    assert score == pytest.approx(common / sizes, abs=1e-12)


def test_draws_that_find_nothing_agree_and_one_draw_has_no_score():
    assert run(binary(0.1, 0.2), Agreement())["Agreement"].study_scores["pooled_pairwise_dice"] == 1.0
    assert run(binary(0.9), Agreement())["Agreement"].study_scores == {}


def test_the_reported_value_is_that_of_the_mean_and_each_draw_has_its_own():
    values = torch.cat([binary(0.9, 0.4, 0.3), binary(0.6, 0.7, 0.1)], dim=2)  # two pixels, means 0.533 and 0.467
    entry = run(values, Moments(), Extent([Area("area", "Object", (1,))]))["Extent"].answers[0]
    assert (entry["value"], entry["draws"]["values"]) == (1.0, [2.0, 1.0, 0.0])
    assert entry["draws"]["sd"] == pytest.approx(1.0)
    assert entry["draws"]["mean"] == pytest.approx(1.0)


def test_a_tie_is_background():
    entry = run(binary(0.5), Moments(), Extent([Area("area", "Object", (1,))]))["Extent"].answers[0]
    assert entry["value"] is None
    assert entry["statement"] == "Object: nothing found. This is not a measurement of zero."


@pytest.mark.parametrize(
    "measurement,element,expected,unit",
    [
        (Area("a", "A", (1,)), GridElement(0.25, "mm2"), 1.5, "mm2"),
        (Area("a", "A", (1,)), GridElement(1.0, "pixels"), 6, "pixels"),
        (Volume("v", "V", (1, 2)), GridElement(250.0, "mm3"), 2.5, "mL"),
        (Volume("v", "V", (2,)), GridElement(1.0, "voxels"), 4, "voxels"),
        (AreaShare("s", "S", (1,)), GridElement(1.0, "pixels"), 30.0, "%"),
    ],
)
def test_units_of_measurements(measurement, element, expected, unit):
    assert measurement.of(Drawn(element, [10, 6, 4], 20)) == pytest.approx(expected)
    assert measurement.unit(element) == unit


def test_the_share_is_of_the_region():
    values = binary(0.9).expand(1, 2, 4, 5)
    region = torch.zeros(4, 5, dtype=torch.bool)
    region[:2] = True
    values = torch.where(region, values, torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1))
    entry = run(values, Moments(), Extent([AreaShare("s", "S", (1,))]), region=region)["Extent"].answers[0]
    assert np.isclose(entry["value"], 100.0)


def lines(*draws: str) -> torch.Tensor:
    """Draws of one row of pixels, "#" is the structure."""
    marks = torch.tensor([[float(mark == "#") for mark in draw] for draw in draws])[:, None, None]
    return torch.cat([1 - marks, marks], dim=1) * 0.98 + 0.01


def lesions_of(*draws: str) -> list[dict]:
    volume = Volume("lesion", "Lesion", (1,))
    return run(lines(*draws), Moments(), Lesions(volume), element=GridElement(500.0, "mm3"))["Lesions"].lesions


def test_each_piece_has_its_size_and_the_share_of_draws_that_touch_it():
    large, small = lesions_of("####..#.#", "###...#..", "####.....")  # of two draws in three: "####..#.."
    assert (large["value"], small["value"]) == (2.0, 0.5) and large["unit"] == "mL"
    assert large["existence"] == 1.0 and small["existence"] == pytest.approx(2 / 3)
    assert large["draws"]["values"] == [2.0, 1.5, 2.0] and small["draws"]["values"] == [0.5, 0.5, 0.0]
    assert large["draws"]["sd"] == pytest.approx(0.5 / math.sqrt(3))
    assert large["centre"] == [0.0, 1.5] and small["centre"] == [0.0, 6.0], "on the network grid"


def test_a_piece_of_a_draw_that_bridges_two_is_shared_by_nearness():
    first, second = lesions_of("##...##.", "##...##.", "#######.")
    assert first["value"] == second["value"] == 1.0
    assert sorted([first["draws"]["values"][2], second["draws"]["values"][2]]) in ([1.5, 2.0], [1.75, 1.75])


def test_pieces_that_touch_by_a_corner_are_one():
    marks = torch.tensor([[1.0, 0.0], [0.0, 1.0]])[None, None]
    found = run(torch.cat([1 - marks, marks], dim=1), Moments(), Lesions(Area("spot", "Spot", (1,))))["Lesions"].lesions
    assert [lesion["value"] for lesion in found] == [2.0]


def test_where_nothing_is_reported_there_is_no_piece():
    assert lesions_of("#.......", "...#....", "......#.") == []


def test_the_lowest_probability_is_that_of_the_most_cautious_draw():
    lowest = run(binary(0.9, 0.5, 0.7), LowestProbability(0))["LowestProbability"].maps["lowest_probability"]
    assert float(lowest) == pytest.approx(0.1, abs=1e-6)


def test_doubt_is_what_the_likeliest_class_leaves():
    found = run(binary(0.9, 0.5), Moments(), Doubt())["Doubt"].study_scores
    assert found == {"mean_doubt": pytest.approx(0.3, abs=1e-6)}
