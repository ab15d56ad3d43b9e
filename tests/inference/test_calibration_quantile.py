"""The finite-sample quantile: exact ranks, and refusal to take the largest score in their place."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caveat.inference.calibration.quantile import miss_rate, quantile, rank, spacings, units_needed

LEVELS = st.integers(1, 99).map(lambda percent: percent / 100)


@pytest.mark.parametrize("n,index", [(19, 18), (9, 9), (8, None), (36, 34), (99, 90)])
def test_golden_ranks_at_ninety_per_cent(n, index):
    assert rank(n, 0.1) == rank(n, miss_rate(0.9)) == index


@pytest.mark.parametrize(
    "miss,one,two", [(0.32, 3, 6), (0.2, 4, 9), (0.1, 9, 19), (0.05, 19, 39), (0.02, 49, 99), (0.01, 99, 199)]
)
def test_golden_numbers_of_units(miss, one, two):
    assert units_needed(miss) == units_needed(miss, "lower") == one
    assert units_needed(miss, "asymmetric") == two


@given(LEVELS)
def test_units_needed_are_enough_and_one_fewer_is_not(level):
    miss = miss_rate(level)
    needed = units_needed(miss)
    assert rank(needed, miss) is not None
    assert needed == 0 or rank(needed - 1, miss) is None
    assert rank(units_needed(miss, "asymmetric"), miss / 2) is not None


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=60), LEVELS)
def test_the_quantile_leaves_the_promised_share_below_itself(scores, level):
    q = quantile(scores, miss_rate(level))
    inside = sum(score <= q for score in scores)
    if math.isinf(q):
        assert len(scores) < units_needed(miss_rate(level))
    else:
        assert inside >= (len(scores) + 1) * Fraction(str(level))


@given(st.permutations([3.0, 1.0, 2.0, 9.0, 4.0, 4.0, 7.0, 0.5, 6.0]))
def test_order_of_units_changes_nothing(scores):
    assert quantile(scores, 0.2) == 7.0
    assert quantile(scores, 0.1) == 9.0
    assert quantile(scores, 0.05) == math.inf


def test_a_higher_level_is_never_narrower():
    scores = [float(n) for n in range(36)]
    reached = [quantile(scores, miss_rate(percent / 100)) for percent in range(1, 100)]
    assert reached == sorted(reached)


def test_no_numbers_are_refused():
    with pytest.raises(ValueError, match="no number"):
        quantile([1.0, math.nan], 0.5)
    with pytest.raises(ValueError, match="between 0 and 1"):
        miss_rate(1.0)


@pytest.mark.parametrize("sides, expected", [("two-sided", 34), ("lower", 34), ("asymmetric", 35)])
def test_spacings_inside_an_interval(sides, expected):
    assert spacings(36, 0.9, sides) == expected


def test_spacings_of_too_few_units():
    with pytest.raises(ValueError, match="too few"):
        spacings(36, 0.95, "asymmetric")
