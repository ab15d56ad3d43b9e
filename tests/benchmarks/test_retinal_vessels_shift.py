"""The corruptions, and AUROC of made-up scores."""

import math

import numpy as np
import pytest
import yaml
from retinal_vessels_shift import CORRUPTIONS, STRENGTHS, aurocs, study_scores

from caveat.inference.stored.stored_study import StoredStudy

PICTURE = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def test_every_strength_has_its_corruption_and_changes_the_picture():
    for name, strengths in yaml.safe_load(STRENGTHS.read_text()).items():
        for strength in strengths:
            changed = CORRUPTIONS[name](PICTURE, strength)
            assert changed.shape == PICTURE.shape
            assert changed.dtype == np.uint8
            assert (changed != PICTURE).mean() > 0.5


def test_known_corruptions():
    assert (CORRUPTIONS["darkened"](PICTURE, 0.5) == np.rint(PICTURE * 0.5)).all()
    assert np.abs(CORRUPTIONS["rotated"](PICTURE, 90).astype(int) - np.rot90(PICTURE)).max() <= 1
    assert CORRUPTIONS["blurred"](PICTURE, 4).std() < PICTURE.std() / 2


def test_scores_of_a_study():
    entropy = np.array([[0.1, 0.2], [0.3, 9.0]])
    maps = {"segmentation": np.array([[0, 1], [0, 0]]), "region": np.array([[1, 1], [1, 0]]), "entropy": entropy}
    scores = study_scores(StoredStudy("a", {"study_scores": {"pooled_pairwise_dice": 0.75}}, maps))
    expected = {"1 - pooled pairwise Dice": 0.25, "mean entropy, field of view": 0.2, "mean entropy, vessels": 0.2}
    assert scores == pytest.approx(expected)


def test_auroc_leaves_undefined_scores_out():
    clean = {"a": {"s": 1.0}, "b": {"s": 2.0}}
    assert aurocs(clean, {"c": {"s": 3.0}, "d": {"s": math.nan}}) == {"s": 1.0}
