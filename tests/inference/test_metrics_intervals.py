"""Coverage bands, interval score, CRPS: golden values, an independent library, simulation."""

import math

import numpy as np
import pytest
import scoringrules
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from caveat.inference.metrics.crps import crps
from caveat.inference.metrics.interval_coverage import CheckedPart, count_probabilities, coverage_band, power
from caveat.inference.metrics.interval_score import interval_score
from caveat.inference.metrics.rank_correlation import spearman


def rank(n, miss=0.1):
    return math.ceil((n + 1) * (1 - miss) - 1e-9)


@pytest.mark.parametrize(
    "n, m, band", [(50, 50, (38, 50)), (100, 50, (39, 49)), (100, 100, (81, 97)), (200, 100, (82, 96)), (500, 500, (430, 467))]
)
def test_the_band_has_its_published_ends(n, m, band):
    assert coverage_band([CheckedPart(m, rank(n), n)]) == band


def test_a_count_is_beta_binomial_not_binomial():
    assert count_probabilities([CheckedPart(100, 91, 100)])[:81].sum() == pytest.approx(0.0216, abs=5e-5)


def test_a_true_coverage_of_70_percent_is_noticed_one_time_in_three():
    fewest, _ = coverage_band([CheckedPart(28, rank(36), 36)], claims=4)
    assert power(28, fewest, 0.7) == pytest.approx(0.3175, abs=1e-4)
    assert power(28, coverage_band([CheckedPart(28, rank(36), 36)], claims=12)[0], 0.7) < 0.2


def test_more_claims_widen_the_band_and_more_units_narrow_it():
    one, many = (coverage_band([CheckedPart(28, 34, 36)], claims=claims) for claims in (1, 12))
    assert many[0] < one[0] and many[1] >= one[1]
    fewest = [coverage_band([CheckedPart(28, rank(n), n)])[0] for n in (19, 39, 199)]
    assert fewest == sorted(fewest)


def test_counts_of_classes_add_up():
    parts = [CheckedPart(9, 9, 9), CheckedPart(12, 18, 19)]
    both = count_probabilities(parts)
    assert len(both) == 22 and both.sum() == pytest.approx(1)
    assert np.arange(22) @ both == pytest.approx(9 * 9 / 10 + 12 * 18 / 20)


@pytest.mark.parametrize("two_one_sided", [False, True])
def test_simulated_counts_follow_the_distribution(two_one_sided):
    rng, n, m, repeats = np.random.default_rng(0), 39, 20, 4000
    errors, new = rng.standard_t(3, (repeats, n)), rng.standard_t(3, (repeats, m))
    if two_one_sided:  # each end at 5 %, its own quantile: the interval holds 2 r - n - 1 spacings
        r = rank(n, 0.05)
        low, high = -np.sort(-errors, axis=1)[:, r - 1], np.sort(errors, axis=1)[:, r - 1]
        inside, spacings = (new >= low[:, None]) & (new <= high[:, None]), 2 * r - n - 1
    else:
        spacings = rank(n)
        inside = np.abs(new) <= np.sort(np.abs(errors), axis=1)[:, spacings - 1, None]
    seen = np.bincount(inside.sum(axis=1), minlength=m + 1) / repeats
    assert np.abs(seen - count_probabilities([CheckedPart(m, spacings, n)])).max() < 0.02


def test_interval_score_golden_and_equal_to_scoringrules():
    assert interval_score(0, 1, 1.2, 0.9) == pytest.approx(5)
    rng = np.random.default_rng(1)
    truth, lower = rng.normal(size=50), rng.normal(size=50)
    upper = lower + rng.random(50)
    ours = interval_score(lower, upper, truth, 0.8)
    assert ours == pytest.approx(scoringrules.interval_score(truth, lower, upper, 0.2))


def test_interval_score_is_least_at_the_quantiles():
    truth = np.random.default_rng(2).normal(size=20000)
    ends = norm.ppf([0.05, 0.95])
    scores = [interval_score(*(scale * ends), truth, 0.9).mean() for scale in (0.6, 1.0, 1.6)]
    assert scores[1] == min(scores)


def test_an_infinite_interval_scores_infinitely():
    assert interval_score(0, np.inf, 1, 0.9) == np.inf


def test_crps_golden_and_equal_to_scoringrules():
    assert crps([1, 2, 4], 2) == pytest.approx(1 / 3)
    assert crps([1, 2, 4], 2, fair=True) == pytest.approx(0)
    draws = np.random.default_rng(3).normal(size=7)
    assert crps(draws, 0.3) == pytest.approx(float(scoringrules.crps_ensemble(0.3, draws, estimator="nrg")))
    assert crps(draws, 0.3, fair=True) == pytest.approx(float(scoringrules.crps_ensemble(0.3, draws, estimator="fair")))


def test_crps_of_one_draw_is_the_absolute_error():
    assert crps([3.0], 5.0) == 2
    assert math.isnan(crps([3.0], 5.0, fair=True))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.1, 100), min_size=2, max_size=8), st.floats(0.1, 100), st.floats(0.1, 10))
def test_scores_scale_with_the_unit(draws, truth, scale):
    scaled = [scale * draw for draw in draws]
    assert crps(scaled, scale * truth) == pytest.approx(scale * crps(draws, truth), abs=1e-9)
    ends = min(draws), max(draws)
    in_the_other_unit = interval_score(scale * ends[0], scale * ends[1], scale * truth, 0.9)
    assert in_the_other_unit == pytest.approx(scale * interval_score(*ends, truth, 0.9), abs=1e-9)


def test_a_constant_width_has_no_rank_correlation():
    assert math.isnan(spearman([1, 1, 1, 1], [1, 2, 3, 4]))
    assert spearman([1, 2, 3, 9], [1, 4, 5, 6]) == pytest.approx(1)
