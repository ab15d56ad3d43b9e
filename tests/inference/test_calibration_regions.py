"""Conformal regions of points: radius and ellipse, for one point and for all at once."""

from __future__ import annotations

import math

import numpy as np
import pytest

from caveat.inference.calibration.regions import ellipse_scores, radius_scores, region_quantiles, region_size, shape_matrix

ROUND = np.eye(2)


def test_a_radius_is_a_distance_in_millimetres():
    assert radius_scores(np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[3.0, 4.0], [1.0, 1.0]])).tolist() == [5.0, 0.0]


def test_an_ellipse_measures_in_its_own_axes():
    shape = np.diag([4.0, 0.25])
    truth = np.array([[2.0, 0.0], [0.0, 0.5], [2.0, 0.5]])
    found = ellipse_scores(np.zeros((3, 2)), truth, np.stack([shape] * 3))
    assert found == pytest.approx([1.0, 1.0, math.sqrt(2)])


def test_a_round_ellipse_is_a_disc():
    random = np.random.default_rng(0)
    predicted, truth = random.normal(size=(2, 5, 7, 3))
    shape = np.broadcast_to(4.0 * np.eye(3), (5, 7, 3, 3))
    assert ellipse_scores(predicted, truth, shape) == pytest.approx(radius_scores(predicted, truth) / 2)


def test_the_shape_shrinks_to_the_pooled_one():
    draws, pooled = np.diag([1.0, 0.0]), np.diag([0.0, 3.0])
    assert shape_matrix(draws, pooled, 0.25, 0.5) == pytest.approx(np.diag([0.75 + 0.5, 0.75 + 0.5]))
    for share, floor in [(-0.1, 1), (1.1, 1), (0.5, 0)]:
        with pytest.raises(ValueError):
            shape_matrix(draws, pooled, share, floor)


@pytest.mark.parametrize("axes,size", [(2, math.pi * 9), (3, 4 / 3 * math.pi * 27)])
def test_sizes_of_discs_balls_and_ellipses(axes, size):
    assert region_size(3.0, axes) == pytest.approx(size)
    shape = np.diag([4.0] + [1.0] * (axes - 1))
    assert region_size(3.0, axes, shape) == pytest.approx(2 * size)


def test_too_few_units_reach_everywhere():
    assert region_quantiles(np.ones((8, 2)), 0.1, simultaneous=False) == [math.inf, math.inf]
    assert region_quantiles(np.ones((9, 2)), 0.1, simultaneous=True) == [1.0, 1.0]


@pytest.mark.parametrize("simultaneous", [False, True])
def test_coverage_is_nominal_for_each_point_or_for_all(simultaneous):
    """Points of one study err together and not alike; n = 19 at 90 % is 18 of 20 exactly."""
    random, repeats = np.random.default_rng(1), 2000
    common = random.normal(size=(repeats, 20, 1, 2))
    errors = (common + random.normal(size=(repeats, 20, 4, 2))) * np.array([0.5, 1.0, 2.0, 4.0])[:, None]
    scores = radius_scores(np.zeros_like(errors), errors)
    inside = np.array([one[-1] <= region_quantiles(one[:-1], 0.1, simultaneous) for one in scores])
    four_sd = 4 * math.sqrt(0.09 / repeats)
    if simultaneous:
        assert inside.all(axis=1).mean() == pytest.approx(0.9, abs=four_sd)
    else:
        assert inside.mean(axis=0) == pytest.approx(np.full(4, 0.9), abs=four_sd)
        assert inside.all(axis=1).mean() < 0.85
