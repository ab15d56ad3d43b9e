"""The best draw for each rater, and all draws against all raters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caveat.inference.metrics.best_dice import best_dice, dice_of_means
from caveat.inference.metrics.overlap import dice


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 3))
def test_best_dice_is_a_loop(seed, n, classes):
    random = np.random.default_rng(seed)
    draws, raters = random.integers(0, classes + 1, (n, 3, 4)), random.integers(0, classes + 1, (3, 3, 4))
    everywhere, labels = np.ones((3, 4), bool), range(1, classes + 1)
    expected = [max(np.mean([dice(s == c, y == c, everywhere) for c in labels]) for s in draws) for y in raters]
    assert best_dice(draws, raters, labels) == pytest.approx(expected)


def test_best_dice_by_hand():
    draws = np.array([[1, 1, 0, 0], [1, 0, 0, 0]], bool)
    raters = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], bool)
    assert best_dice(draws, raters) == pytest.approx([1, 4 / 5, 0, 0])
    assert best_dice(np.zeros((1, 4), bool), raters)[-1] == 1


def test_one_draw_must_serve_all_classes():
    draws, rater = np.array([[1, 1, 0, 0], [0, 0, 2, 2]]), np.array([[1, 1, 2, 2]])
    assert best_dice(draws, rater, [1, 2]) == pytest.approx([0.5])


def test_dice_of_means_by_hand():
    draws = np.array([[1, 1, 0, 0], [1, 0, 1, 0]], bool)  # half or more: three elements
    raters = np.array([[1, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 1]], bool)  # half or more: the first; a third: three
    assert dice_of_means(draws, raters) == pytest.approx(2 / 4)
    assert dice_of_means(draws, raters, levels=(0.3, 0.5, 0.9)) == pytest.approx((2 * 2 / 6 + 2 / 4 + 0) / 3)
    assert dice_of_means(np.zeros((2, 4), bool), np.zeros((3, 4), bool)) == 1


def test_dice_of_means_over_classes():
    draws, raters = np.array([[1, 1, 0, 2]]), np.array([[1, 0, 0, 2]])
    assert dice_of_means(draws, raters, [1, 2]) == pytest.approx((2 / 3 + 1) / 2)


def test_dice_of_means_needs_one_grid():
    with pytest.raises(ValueError, match="compared"):
        dice_of_means(np.zeros((2, 4), bool), np.zeros((2, 5), bool))
