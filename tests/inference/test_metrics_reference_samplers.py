"""Floors and oracles made of the raters themselves."""

import numpy as np
import pytest

from caveat.inference.metrics.energy_distance import energy_distance
from caveat.inference.metrics.mask_distance import mask_distances
from caveat.inference.metrics.reference_samplers import agreed, reference_draws

RATERS = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]], bool)


def test_rows_by_hand():
    rows = reference_draws(RATERS, draws=3, seed=0)
    expected = {"majority (>= half)": [1, 1, 0, 0], "union": [1, 1, 1, 0], "intersection": [1, 0, 0, 0], "empty": [0, 0, 0, 0]}
    for name, mask in expected.items():
        assert rows[f"{name} repeated"].tolist() == [mask] * 3
    one = rows["one rater repeated"]
    assert (one == one[0]).all()
    assert one[0].tolist() in RATERS.tolist()
    assert all(draws.shape == (3, 4) and draws.dtype == bool for draws in rows.values())


@pytest.mark.parametrize(("count", "expected"), [(3, [1, 1, 0]), (4, [1, 1, 0])])
def test_half_of_the_raters_are_a_majority(count, expected):
    """Two of three, and two of four."""
    raters = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 0], [1, 0, 0]], bool)[:count]
    assert reference_draws(raters, 1, 0)["majority (>= half) repeated"].tolist() == [expected]


def test_resampled_raters_come_with_the_seed_and_equally_often():
    raters = np.arange(4)[:, None]
    drawn = [reference_draws(raters, 2000, seed)["raters resampled"].ravel() for seed in (1, 1, 2)]
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[0] != drawn[2]).any()
    assert np.bincount(drawn[0]) / 2000 == pytest.approx([0.25] * 4, abs=0.04)


def test_classes():
    raters = np.array([[1, 1, 1, 2, 0], [1, 2, 1, 2, 0], [1, 2, 0, 1, 0], [1, 0, 0, 1, 0]])
    assert agreed(raters, 1).tolist() == [1, 2, 1, 1, 0]  # the more frequent class; of two alike the lower
    assert agreed(raters, 2).tolist() == [1, 2, 1, 1, 0]
    assert agreed(raters, 3).tolist() == [1, 0, 0, 0, 0]
    assert agreed(raters, 4).tolist() == [1, 0, 0, 0, 0]
    assert agreed(np.zeros((3, 2), np.uint8), 1).tolist() == [0, 0]


def test_one_rater_repeated_scores_the_raters_mean_distance():
    """In form V, in the mean over raters: 2 m - 0 - m."""
    scores = [energy_distance(mask_distances(RATERS[[j]], RATERS), "V") for j in range(4)]
    assert np.mean(scores) == pytest.approx(mask_distances(RATERS, RATERS).raters.mean())
