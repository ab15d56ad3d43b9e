"""The last layer on a frozen trunk: its probabilities are as right as they say, whatever the features' scale."""

from __future__ import annotations

import numpy as np
import pytest

from caveat.inference.training.last_layer import fit_last_layer


def features(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Of two classes, whose true logit is twice the first of 20 numbers."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(n, 20))
    return numbers, (random.random(n) < 1 / (1 + np.exp(-2 * numbers[:, 0]))).astype(int)


def test_it_finds_the_logit_of_what_it_was_made_of():
    numbers, classes = features(600, 0)
    layer = fit_last_layer(numbers, classes, np.arange(600) % 4, (0.001, 0.01, 0.1, 1.0))
    new, _ = features(2000, 1)
    logits = layer.logits(new)
    difference = logits[:, 1] - logits[:, 0]
    assert np.corrcoef(difference, new[:, 0])[0, 1] > 0.95
    assert np.polyfit(2 * new[:, 0], difference, 1)[0] == pytest.approx(1, abs=0.2), "neither too sure nor too timid"


def test_scale_and_place_of_the_features_do_not_matter():
    numbers, classes = features(300, 0)
    folds, moved = np.arange(300) % 4, 1000 * numbers + 7
    one, other = (fit_last_layer(of, classes, folds, (0.01, 0.1)) for of in (numbers, moved))
    np.testing.assert_allclose(one.logits(numbers), other.logits(moved), atol=1e-3)
    assert (one.strength, one.temperature) == (other.strength, pytest.approx(other.temperature, rel=1e-3))


def test_three_classes_have_three_logits():
    random = np.random.default_rng(0)
    classes = np.arange(300) % 3
    numbers = random.normal(size=(300, 5)) + 2 * np.eye(5)[classes]
    layer = fit_last_layer(numbers, classes, np.arange(300) // 75, (0.1, 1.0))
    assert layer.weight.shape == (3, 5) and (layer.logits(numbers).argmax(axis=1) == classes).mean() > 0.8
