"""The shape of landmarks: neither place, size, turn nor mirror is part of it."""

from __future__ import annotations

import numpy as np
import pytest

from caveat.inference.gate.landmark_shape import mean_shape, shape_distance

TRIANGLE = np.array([[0, 0], [2, 0], [1, np.sqrt(3)]])
FACE = np.random.default_rng(0).uniform(0, 100, (19, 2))


def moved(configuration: np.ndarray, degrees: float, scale: float, mirrored: bool = False) -> np.ndarray:
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * configuration @ turn * [1, -1 if mirrored else 1] + [7, -30]


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 45, 180])
def test_a_pose_is_no_shape(degrees, mirrored):
    assert shape_distance(moved(FACE, degrees, 0.2, mirrored), FACE) == pytest.approx(0, abs=1e-6)


def test_three_points_on_a_line_are_root_one_half_from_an_equilateral_triangle():
    """A unit line's overlap with either axis of the triangle, whose axes have length sqrt(1/2), is sqrt(1/2)."""
    for line in ([[0, 0], [1, 1], [5, 5]], [[0, 1], [0, 2], [0, 9]]):
        assert shape_distance(np.array(line, float), TRIANGLE) == pytest.approx(np.sqrt(0.5))


def test_landmarks_that_coincide_or_change_places_are_far():
    assert shape_distance(np.full((19, 2), 5.0), FACE) == 1
    shuffled = shape_distance(FACE[np.random.default_rng(1).permutation(19)], FACE)
    slightly = shape_distance(FACE + np.random.default_rng(2).normal(0, 1, FACE.shape), FACE)
    assert shuffled > 0.8 and slightly < 0.1


def test_the_mean_shape_of_one_shape_in_many_poses_is_that_shape():
    mean = mean_shape([moved(FACE, degrees, scale) for degrees, scale in ((0, 1), (30, 3), (-10, 0.5))])
    assert shape_distance(mean, FACE) == pytest.approx(0, abs=1e-6)
    two = mean_shape([TRIANGLE, TRIANGLE * [1, 1.2]])
    assert 0 < shape_distance(two, TRIANGLE) < shape_distance(TRIANGLE * [1, 1.2], TRIANGLE)
