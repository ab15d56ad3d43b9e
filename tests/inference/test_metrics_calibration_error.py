"""Calibration errors against loops over bins, and against a case worked by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caveat.inference.metrics.calibration_error import (
    adaptive_calibration_error,
    brier,
    expected_calibration_error,
    top_label,
)


def loop_over_bins(confidence, correct, members):
    return sum(len(m) / len(confidence) * abs(correct[m].mean() - confidence[m].mean()) for m in members if len(m))


@given(st.integers(1, 200), st.integers(1, 20), st.integers(0, 10**6))
def test_equal_width_is_the_loop_over_half_open_bins(n, bins, seed):
    rng = np.random.default_rng(seed)
    confidence, correct = rng.random(n).round(2), rng.random(n) < 0.5
    edges = np.linspace(0, 1, bins + 1)
    members = [np.flatnonzero((confidence > lo) & (confidence <= hi)) for lo, hi in zip(edges[:-1], edges[1:], strict=True)]
    members[0] = np.flatnonzero(confidence <= edges[1])
    assert expected_calibration_error(confidence, correct, bins) == pytest.approx(loop_over_bins(confidence, correct, members))


@given(st.integers(1, 10), st.integers(1, 12), st.integers(0, 10**6))
def test_equal_mass_without_ties_is_a_cut_by_rank(per_bin, bins, seed):
    rng = np.random.default_rng(seed)
    confidence = rng.permutation(np.linspace(0.01, 0.99, per_bin * bins))
    correct = rng.random(confidence.size) < confidence
    members = np.array_split(np.argsort(confidence), bins)
    assert adaptive_calibration_error(confidence, correct, bins) == pytest.approx(loop_over_bins(confidence, correct, members))


def test_equal_mass_keeps_ties_together():
    confidence = np.array([0.2, 0.2, 0.2, 0.8])  # a cut by rank at the half would split the three
    correct = np.array([1, 0, 0, 1], bool)
    assert adaptive_calibration_error(confidence, correct, bins=2) == pytest.approx(3 / 4 * abs(1 / 3 - 0.2) + 1 / 4 * 0.2)


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_order_of_elements_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    confidence, correct = rng.random(60).round(1), rng.random(60) < 0.3
    order = rng.permutation(60)
    for error in (expected_calibration_error, adaptive_calibration_error):
        assert error(confidence, correct) == pytest.approx(error(confidence[order], correct[order]))


def test_by_hand():
    confidence, correct = np.array([0.9, 0.9, 0.1, 0.1]), np.array([1, 0, 0, 0], bool)
    assert expected_calibration_error(confidence, correct, 15) == pytest.approx(0.5 * 0.4 + 0.5 * 0.1)
    assert brier(confidence, correct) == pytest.approx((0.01 + 0.81 + 0.01 + 0.01) / 4)


def test_what_is_drawn_from_its_own_probability_is_calibrated():
    rng = np.random.default_rng(1)
    confidence = rng.random(200_000)
    correct = rng.random(200_000) < confidence
    assert expected_calibration_error(confidence, correct) < 0.005
    assert adaptive_calibration_error(confidence, correct) < 0.005
    assert brier(confidence, correct) == pytest.approx(1 / 6, abs=0.003)


def test_share_of_raters_stands_for_right_or_wrong():
    assert expected_calibration_error(np.array([0.5, 0.5]), np.array([0.5, 0.5])) == 0


def test_top_label():
    confidence, correct = top_label(np.array([0.9, 0.2, 0.5]), np.array([True, True, False]))
    assert confidence == pytest.approx([0.9, 0.8, 0.5])
    assert correct.tolist() == [True, False, True]


def test_no_elements():
    none = np.zeros(0)
    assert all(math.isnan(error(none, none)) for error in (expected_calibration_error, adaptive_calibration_error, brier))
