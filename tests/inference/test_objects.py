"""Every object by itself: in how many draws it is found, as map, table and picture."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch
from PIL import Image

from caveat.inference.engine.block import Block
from caveat.inference.engine.study_grid import GridElement, StudyGrid
from caveat.inference.reducers.moments import Moments
from caveat.inference.reducers.objects import Objects
from caveat.inference.targets.object_area import ObjectArea
from caveat.networks.draws.draw import first_draws
from caveat.reasons import StudyRefused
from caveat.transforms.drawing.outlines import draw_outlines
from caveat.transforms.drawing.views import unsure_objects
from caveat.transforms.writers.example_study import example_study
from caveat.transforms.writers.lesions_csv import LesionsCsvWriter
from caveat.transforms.writers.segmentation import SegmentationWriter


def reduced(*masks: np.ndarray):
    structure = torch.from_numpy(np.stack(masks)).float()
    values = torch.stack([1 - structure, structure], dim=1)
    reducers = [Moments(), Objects(ObjectArea("area", "Area", (1,)))]
    results = {}
    for reducer in reducers:
        reducer.begin(StudyGrid(masks[0].shape, 2, len(masks), GridElement(2.0, "mm2", (1.0, 2.0))))
        reducer.update(Block(0, values), first_draws(len(masks)), values)
        results[reducer.name] = reducer.finish(results)
    return results["Objects"]


def picture(*squares: tuple[int, int, int]) -> np.ndarray:
    """Args: squares: first row, first column, side."""
    mask = np.zeros((40, 40), bool)
    for row, column, side in squares:
        mask[row : row + side, column : column + side] = True
    return mask


def test_an_object_exists_in_the_draws_that_have_one_of_iou_above_a_half():
    both = picture((2, 2, 8), (20, 20, 10))
    found = reduced(both, both, picture((2, 2, 8), (20, 25, 10)))  # the third has half of the larger one: IoU 1/3
    large, small = found.lesions
    assert (large["value"], large["existence"], large["draws"]["values"]) == (200.0, 2 / 3, [200.0, 200.0, 0.0])
    assert (small["value"], small["existence"], small["cut"]) == (128.0, 1.0, False)
    assert found.maps["objects"].shape == (1, 40, 40) and found.maps["objects"][0, 25, 22] == 1  # the largest is 1
    assert small["centre"] == [5.5, 5.5] and small["unit"] == "mm2"
    assert unsure_objects({"lesions": found.lesions}) == {1}


def test_what_the_border_cuts_is_told_apart():
    assert [one["cut"] for one in reduced(picture((0, 5, 9), (20, 20, 8))).lesions] == [True, False]


def test_more_objects_than_can_be_numbered_are_refused(monkeypatch):
    monkeypatch.setattr("caveat.inference.reducers.objects.MOST", 1)
    with pytest.raises(StudyRefused, match="NOT_THIS_KIND"):
        reduced(picture((2, 2, 8), (20, 20, 8)))


def test_no_object_is_none():
    assert reduced(picture()).lesions == [] and not reduced(picture()).maps["objects"].any()


def test_map_and_table_agree_with_16_bits(tmp_path):
    study = example_study("picture")
    rows, columns = study["segmentation"].shape[1:]
    study["objects"] = torch.arange(rows * columns).reshape(1, rows, columns).float()
    (one,) = study["result"]["lesions"]
    study["result"]["lesions"] = [one | {"cut": True}, one]
    SegmentationWriter().write(study, tmp_path)
    LesionsCsvWriter("object").write(study | {"result": study["result"] | {"lesions": [one | {"cut": True}]}}, tmp_path)
    stored = np.asarray(Image.open(tmp_path / "objects.png"))
    assert stored.max() == rows * columns - 1 > 255 and stored.dtype == np.uint16
    with (tmp_path / "objects.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["object"], row["cut"]) == ("1", "1")


def test_a_dashed_outline_has_gaps_where_a_whole_one_has_none():
    labels = picture((5, 5, 12)).astype(np.uint8)
    whole = draw_outlines([labels], ["#ffffff"], (400, 400), 2.0)[..., 3] > 200
    dashed = draw_outlines([labels], ["#ffffff"], (400, 400), 2.0, dashed={1})[..., 3] > 200
    assert 0.3 * whole.sum() < dashed.sum() < 0.8 * whole.sum() and not (dashed & ~whole).any()
    assert np.array_equal(draw_outlines([labels], ["#ffffff"], (400, 400), 2.0, dashed={2})[..., 3] > 200, whole)
