"""Draws as a choice: alike ones are one, from small to large, each as often as it was drawn."""

from __future__ import annotations

import json

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from caveat.inference.answers.order_hypotheses import OrderHypothesesd, groups_of_alike
from caveat.inference.targets.area import Area
from caveat.inference.targets.volume import Volume
from caveat.transforms.writers.example_study import example_study
from caveat.transforms.writers.hypotheses import HypothesesWriter


def bars(*lengths: int, size: int = 20) -> np.ndarray:
    """A row a draw, its first elements inside."""
    return np.stack([(np.arange(size) < length).astype(np.uint8) for length in lengths])[:, None]


def study(draws: np.ndarray, spacing: tuple[float, ...] | None = None) -> dict:
    """Args: draws: (draws, *spatial)."""
    meta = {"spacing_source": "header" if spacing else ""}
    affine = torch.diag(torch.tensor([*(spacing or [1.0] * 3), 1.0], dtype=torch.float64))
    image = MetaTensor(torch.zeros(1, *draws.shape[1:]), affine=affine, meta=meta)
    probability = torch.zeros(1 + int(draws.max()), *draws.shape[1:])
    return {"hypotheses": torch.as_tensor(draws), "probability": probability, "input": image, "result": {"status": "OK"}}


def test_equal_draws_are_one_and_the_smallest_comes_first():
    out = OrderHypothesesd(Area("area", "Object", (1,)), alike=0.0)(study(bars(9, 4, 9, 0, 9, 4)))
    table = out["result"]["hypotheses"]
    assert [(row["number"], row["size"], row["draws"]) for row in table] == [(1, 0, 1), (2, 4, 2), (3, 9, 3)]
    assert [row["frequency"] for row in table] == pytest.approx([1 / 6, 2 / 6, 3 / 6]) and table[0]["unit"] == "pixels"
    assert out["ordered_hypotheses"].sum(dim=(1, 2)).tolist() == [0, 4, 9] and out["ordered_hypotheses"].dtype == torch.uint8
    assert out["result"]["status"] == "OK"


def test_alike_draws_are_shown_by_the_one_in_their_middle():
    """IoU of 9 and 10 of 20 is 0.9, of 10 and 11 is 10/11, of 9 and 11 is 9/11: 0.19 apart."""
    out = OrderHypothesesd(Area("area", "Object", (1,)), alike=0.19)(study(bars(11, 10, 9, 2)))
    assert [(row["size"], row["draws"]) for row in out["result"]["hypotheses"]] == [(2, 1), (10, 3)]
    apart = OrderHypothesesd(Area("area", "Object", (1,)), alike=0.17)(study(bars(11, 10, 9, 2)))
    assert [(row["size"], row["draws"]) for row in apart["result"]["hypotheses"]] == [(2, 1), (9, 1), (11, 2)], "no chain"


def test_classes_are_compared_one_by_one():
    """The same place, another class: nothing in common."""
    draws = np.stack([bars(8)[0], 2 * bars(8)[0]])
    assert len(groups_of_alike(draws, range(1, 3), alike=0.9)) == 2


def test_sizes_are_in_the_measurements_unit():
    draws = np.zeros((3, 10, 10, 4), np.uint8)
    draws[0, :5], draws[1, :2], draws[2, :5] = 1, 1, 1
    out = OrderHypothesesd(Volume("volume", "Lesion", (1,)))(study(draws, (1.0, 2.0, 2.5)))
    table = out["result"]["hypotheses"]
    assert [(row["size"], row["unit"], row["draws"]) for row in table] == [(0.4, "mL", 1), (1.0, "mL", 2)]
    json.dumps(table)


def test_one_draw_is_one_hypothesis():
    assert groups_of_alike(bars(3), range(1, 2), 0.1) == [(0, [0])]


def test_the_stack_is_written_in_the_order_of_the_table(tmp_path):
    volumes = example_study("nifti")
    out = OrderHypothesesd(Volume("disc", "Disc", (1,)), alike=0.0)(volumes)
    HypothesesWriter().write(out, tmp_path)
    written = nibabel.load(tmp_path / "hypotheses.nii.gz")
    counts = np.asarray(written.dataobj).reshape(-1, written.shape[-1]).sum(axis=0)
    voxel_ml = 1.0 * 1.5 * 2.0 / 1000
    assert counts * voxel_ml == pytest.approx([row["size"] for row in out["result"]["hypotheses"]])
    assert len(counts) == 4 and (np.diff(counts) > 0).all()
    np.testing.assert_allclose(written.affine, np.diag([1, 1.5, 2, 1]))
