"""What the tables of the bone bundle rest on: the classical method, and figures counted by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from bone_soft_tissue_classical import Example, choose, segment
from bone_soft_tissue_pixels import Body
from bone_soft_tissue_predict import accuracies, fit_by_class, nll
from bone_soft_tissue_stress import figures_of
from bone_soft_tissue_table import clean, figures, means, realised
from PIL import Image

from caveat.inference.calibration.temperature import LabelledLogits


def limb() -> Example:
    """Open beam at both sides of soft tissue with a bone in its middle, in a field that ends four pixels inside the image."""
    labels = np.zeros((48, 60), np.uint8)
    labels[4:-4, 4:-4] = 1
    labels[4:-4, 14:46] = 2
    labels[4:-4, 26:34] = 3
    level = np.choose(labels, [0.0, 0.02, 0.6, 1.0]) + np.random.default_rng(0).normal(0, 0.02, labels.shape)
    contrast = np.choose(labels, [0.0, -1.0, 0.0, 1.5])
    return Example(np.stack([level, contrast, labels > 0]), labels)


def test_a_clear_limb_needs_no_network():
    example = limb()
    found = segment(example.image, *choose([example]))
    assert (found == example.labels).mean() > 0.98
    assert not found[example.labels == 0].any()


def body(said: list[int], truth: list[int], lowest: list[float] | None = None) -> Body:
    """One image of one row; the network is 70 % sure of what it says."""
    probability = np.where(np.arange(4)[:, None] == said, 0.7, 0.1)[None, :, None].astype(np.float32)
    least = np.array(lowest or [0.7] * len(said), np.float32)[None, None]
    return Body("a", "knee", probability, np.array(truth, np.uint8)[None, None], least)


def test_figures_count_the_field_alone():
    found = figures(body([0, 1, 2, 2, 3, 2, 0], [0, 1, 2, 3, 3, 2, 2]))
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert found["recall soft tissue"] == pytest.approx(2 / 3) and found["recall bone"] == 0.5
    assert found["Dice soft tissue"] == pytest.approx(4 / 6)
    assert found["false of called soft"] == pytest.approx(1 / 3)
    assert found["confidence - accuracy"] == pytest.approx(0.7 - 4 / 6, abs=1e-6)


def test_a_figure_that_a_body_lacks_is_left_out_of_the_mean():
    assert means([{"Dice": 0.5}, {"Dice": np.nan}]) == {"Dice": 0.5}


def test_what_a_threshold_realises_is_counted_by_hand():
    one = body([2, 2, 2, 1, 3], [2, 2, 3, 1, 3], lowest=[0.9, 0.4, 0.8, 0.0, 0.0])
    argmax = one.probability.argmax(axis=1) == 2
    assert realised(one, argmax) == pytest.approx((1 / 3, 1 / 3, 1, 0))
    assert realised(one, argmax & (one.lowest > 0.5)) == pytest.approx((1 / 3, 1 / 2, 1 / 2, 1 / 3))
    assert realised(one, argmax & (one.lowest > 0.95)) == (0, 0, 0, 1)


def test_cleaning_drops_thin_bone_and_restores_the_beam():
    labels = np.full((40, 40), 2)
    labels[:, :10] = 1
    labels[10:30, 10:30] = 3
    labels[2:4, 20:35] = 3
    cleaned = clean(labels)
    assert (cleaned[2:4, 20:35] == 2).all() and (cleaned[10:30, 10:30] == 3).all()
    assert (cleaned[:, :10] == 1).all() and cleaned[20, 30] == 3


@pytest.mark.parametrize("flags,loss,undecided", [([], 1 / 3, 1 / 4), (["NOT_THIS_KIND"], np.nan, np.nan)])
def test_under_stress_the_undecided_count_as_soft_tissue_and_a_flagged_image_has_no_loss(tmp_path, flags, loss, undecided):
    truth, said = [0, 1, 2, 2, 2, 3, 3], [2, 1, 2, 4, 1, 2, 3]
    for name, labels in (("truth", truth), ("segmentation", said)):
        Image.fromarray(np.array([labels], np.uint8)).save(tmp_path / f"{name}.png")
    result = {"flags": flags, "study_scores": {"mean_doubt": 0.1, "noise": 0.01}}
    (tmp_path / "result.json").write_text(json.dumps(result))
    found = figures_of({"label": ["truth.png"]}, tmp_path, tmp_path)
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert found["Dice soft tissue"] == pytest.approx(2 * 2 / (4 + 3)) and found["Dice bone"] == pytest.approx(2 / 3)
    assert found["loss at the threshold"] == pytest.approx(loss, nan_ok=True)
    assert found["undecided of soft"] == pytest.approx(undecided, nan_ok=True)


def test_a_temperature_a_class_is_found_and_accuracy_counts_the_field():
    generator = torch.Generator().manual_seed(0)
    true = torch.randn(4, 6000, generator=generator) * 3
    labels = torch.multinomial(true.softmax(0).T, 1, generator=generator)[:, 0]
    stated = torch.tensor([1.0, 1.0, 1.0, 2.0])
    study = LabelledLogits((true * stated[:, None])[None], labels)
    found = fit_by_class([study])
    assert found == pytest.approx(stated, rel=0.15)
    assert nll([study], found) < nll([study], 1.0) - 0.005
    assert accuracies({"a": [study]})["a"] == pytest.approx(
        float((study.logits[0].argmax(0) == labels)[labels > 0].float().mean())
    )
