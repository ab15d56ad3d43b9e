"""Finding wrong pixels, and the band around a structure."""

import math

import numpy as np
import pytest

from caveat.inference.metrics.band import band_around
from caveat.inference.metrics.error_detection import finds_errors, one_minus_largest

PREDICTION = np.array([1, 1, 0, 0], bool)
TRUTH = np.array([1, 0, 0, 1], bool)
EVERYWHERE = np.ones(4, bool)


def test_a_map_that_is_high_on_the_wrong_pixels_finds_them_all():
    found = finds_errors(np.array([0.1, 0.9, 0.2, 0.8]), PREDICTION, TRUTH, EVERYWHERE)
    assert found == pytest.approx({"auroc": 1, "aurc": (0 + 0 + 1 / 3 + 2 / 4) / 4})


def test_only_the_region_counts():
    region = np.array([1, 1, 1, 0], bool)
    assert finds_errors(np.array([0.1, 0.9, 0.2, -5]), PREDICTION, TRUTH, region)["auroc"] == 1


def test_a_constant_map_says_nothing():
    assert all(math.isnan(value) for value in finds_errors(np.zeros(4), PREDICTION, TRUTH, EVERYWHERE).values())


def test_one_minus_largest():
    assert one_minus_largest(np.array([0.0, 0.3, 0.5, 0.9])) == pytest.approx([0, 0.3, 0.5, 0.1])


def test_band_by_brute_force():
    rng = np.random.default_rng(0)
    truth, prediction, region = (rng.random((12, 15)) < share for share in (0.03, 0.03, 0.9))
    points = np.argwhere((truth | prediction) & region)
    distance = np.array([[np.hypot(*(points - (r, c)).T).min() for c in range(15)] for r in range(12)])
    assert (band_around(truth, prediction, region, 2.5) == ((distance <= 2.5) & region)).all()


def test_no_structure_no_band():
    empty = np.zeros((3, 3), bool)
    assert not band_around(empty, empty, ~empty, 5).any()
