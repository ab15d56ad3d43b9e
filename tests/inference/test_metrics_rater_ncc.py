"""NCC with the raters' variance, against a loop as the authors of the measure wrote it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from caveat.inference.metrics.rater_ncc import one_hot, rater_ncc


def loop(probability, raters):
    """Every draw with every rater, class last, one correlation a rater."""
    draws = np.moveaxis(probability, 1, -1)

    def cross_entropy(draw, target):
        return -np.sum(target * np.log(draw + 1e-8), axis=-1)

    def zero_mean_unit(values):
        return (values - values.mean()) / values.std()

    own = np.mean([cross_entropy(draw, draws.mean(axis=0)) for draw in draws], axis=0)
    scores = []
    for rater in np.eye(draws.shape[-1])[raters.astype(int)]:
        other = np.mean([cross_entropy(draw, rater) for draw in draws], axis=0)
        scores.append(np.mean(zero_mean_unit(own) * zero_mean_unit(other)))
    return np.mean(scores)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(2, 4))
def test_is_the_loop(seed, n, classes):
    random = np.random.default_rng(seed)
    probability = softmax(random.normal(0, 2, (n, classes, 4, 5)), axis=1)
    raters = random.integers(0, classes, (3, 4, 5))
    assert rater_ncc(probability, raters) == pytest.approx(loop(probability, raters))


def test_draws_that_vary_where_the_raters_do_score_higher():
    """Along a line both are unsure of the middle third; and draws that are unsure of another third."""
    draws = np.repeat([[1, 1, 0], [1, 0, 0]], 4, axis=1)
    raters = draws.astype(bool)
    good, bad = rater_ncc(one_hot(draws, 2), raters), rater_ncc(one_hot(draws[:, ::-1], 2), raters)
    assert good == pytest.approx(1)
    assert bad < 0.6


@pytest.mark.parametrize("draws", [np.array([[0, 1, 1], [0, 1, 1]]), np.zeros((3, 3), int)])
def test_draws_that_agree_everywhere_leave_it_undefined(draws):
    assert math.isnan(rater_ncc(one_hot(draws, 2), np.array([[0, 1, 0]])))


def test_one_hot():
    assert one_hot(np.array([[0, 2]]), 3).tolist() == [[[1, 0], [0, 0], [0, 1]]]


@pytest.mark.parametrize(
    "raters", [np.zeros((1, 4), int), np.full((1, 3), 2), np.full((1, 3), -1), np.zeros((1, 3)), np.zeros((0, 3), int)]
)
def test_what_does_not_fit_is_an_error(raters):
    with pytest.raises(ValueError, match="expected"):
        rater_ncc(np.full((2, 2, 3), 0.5), raters)
