"""AUROC against the definition over all pairs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caveat.inference.metrics.auc import auroc


def brute_force(scores, positive):
    pairs = [(p > n) + 0.5 * (p == n) for p in scores[positive] for n in scores[~positive]]
    return sum(pairs) / len(pairs)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=40))
def test_equals_all_pairs_with_ties(elements):
    scores, positive = np.array([e[0] for e in elements], float), np.array([e[1] for e in elements])
    if positive.all() or not positive.any():
        assert math.isnan(auroc(scores, positive))
    else:
        assert auroc(scores, positive) == pytest.approx(brute_force(scores, positive))


def test_perfect_reversed_and_constant():
    positive = np.array([False, False, True])
    assert auroc(np.array([0, 1, 2]), positive) == 1
    assert auroc(np.array([2, 1, 0]), positive) == 0
    assert auroc(np.zeros(3), positive) == 0.5


def test_large_float32_maps_keep_their_precision():
    scores = np.random.default_rng(0).random(400_000, dtype=np.float32)
    assert auroc(scores, scores > 0.9) == 1.0


def test_nan_is_an_error():
    with pytest.raises(ValueError, match="NaN"):
        auroc(np.array([np.nan, 1.0]), np.array([True, False]))
