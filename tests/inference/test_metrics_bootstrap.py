"""The interval of a mean over units."""

import math

import numpy as np
import pytest

from caveat.inference.metrics.bootstrap import interval_of_mean


def test_whole_units_are_drawn():
    """All of a unit's values come together: by brute force over every multiset of two units the ends are known."""
    lower, upper = interval_of_mean([0, 0, 0, 1], ["a", "a", "a", "b"], level=0.9)
    assert (lower, upper) == (0, 1)  # all a: 0, probability 1/4; all b: 1, probability 1/4; mixed: 1/4


def test_equals_a_loop():
    rng = np.random.default_rng(3)
    values, units = rng.random(9).tolist(), [str(u) for u in (0, 0, 1, 1, 1, 2, 3, 3, 4)]
    by_unit = [[v for v, u in zip(values, units, strict=True) if u == str(name)] for name in range(5)]
    draws = np.random.default_rng(7).integers(5, size=(500, 5))
    means = [np.mean(sum((by_unit[i] for i in drawn), [])) for drawn in draws]
    assert interval_of_mean(values, units, 0.8, 500, seed=7) == pytest.approx(tuple(np.quantile(means, [0.1, 0.9])))


def test_close_to_theory_for_many_units():
    values = np.random.default_rng(0).normal(size=400).tolist()
    lower, upper = interval_of_mean(values, [str(i) for i in range(400)], level=0.95)
    assert (upper - lower) / 2 == pytest.approx(1.96 * np.std(values) / 20, rel=0.08)


def test_a_seed_repeats_and_one_unit_has_no_interval():
    assert interval_of_mean([1, 2, 3], list("abc"), seed=1) == interval_of_mean([1, 2, 3], list("abc"), seed=1)
    assert all(math.isnan(end) for end in interval_of_mean([1, 2], ["a", "a"]))


@pytest.mark.parametrize(("values", "units"), [([1.0], ["a", "b"]), ([math.nan, 1.0], ["a", "b"])])
def test_what_does_not_fit_is_an_error(values, units):
    with pytest.raises(ValueError, match="expected"):
        interval_of_mean(values, units)
